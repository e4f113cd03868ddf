/** Finds out why a connection failed, by a handshake that lets nothing stand in its way. */
import { readCertificates } from "#pki";
import { after, seconds, type Clock } from "#runtime";
import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { checkServerIdentity, connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import { formatEndpoint, type Endpoint } from "./endpoint.ts";
import {
  CertificateProblemError,
  NotInMaintenanceError,
  UnreachableError,
  type CertificateProblem,
} from "./errors.ts";
import { NEW_TALOSCONFIG, type Identity } from "./own-certificate.ts";

/** How long the node has to answer. */
const PATIENCE = seconds(5);

/**
 * The certificate that a node presents, whatever it is worth.
 *
 * @throws {UnreachableError}
 */
export async function presentedBy(endpoint: Endpoint, clock: Clock): Promise<X509Certificate> {
  const tls = { ALPNProtocols: ["h2"] };
  const { server, failure } = await shakeHands({ endpoint, tls, clock });
  if (server === undefined) throw unreachable(endpoint, failure);
  return server;
}

/**
 * What is wrong where a node was asked without a client certificate.
 *
 * @returns nothing when this connection, unlike the one before, is fine
 */
export async function diagnoseInsecure(
  endpoint: Endpoint,
  clock: Clock,
): Promise<Error | undefined> {
  const { server, failure } = await shakeHands({ endpoint, tls: { ALPNProtocols: ["h2"] }, clock });
  if (failure === undefined) return undefined;
  // Its handshake is done before a node looks for the certificate that we have not.
  return server === undefined || failure === NO_ANSWER
    ? unreachable(endpoint, failure)
    : new NotInMaintenanceError(formatEndpoint(endpoint));
}

const NO_ANSWER = "no answer";

const unreachable = (endpoint: Endpoint, failure = NO_ANSWER) =>
  new UnreachableError(`failed to connect to ${formatEndpoint(endpoint)}: ${failure}`);

/** What a second look needs. */
export interface Suspect {
  readonly endpoint: Endpoint;
  readonly identity: Identity;
  /** With the identity in it, and what else the failed connection had. */
  readonly tls: ConnectionOptions;
  readonly clock: Clock;
}

/** @returns what is wrong; nothing when this connection, unlike the one before, is fine */
export async function diagnose(suspect: Suspect): Promise<Error | undefined> {
  const { endpoint } = suspect;
  const outcome = await shakeHands(suspect);
  if (outcome.server === undefined) return unreachable(endpoint, outcome.failure);
  const problem = problemOfServer(outcome.server, outcome.verdict, suspect);
  if (problem !== undefined) return problem;
  return outcome.failure === undefined ? undefined : rejection(outcome.failure, suspect);
}

interface Outcome {
  /** The certificate that the node presented, if it came that far. */
  readonly server: X509Certificate | undefined;
  /** What OpenSSL makes of it; empty when it is fine. */
  readonly verdict: string;
  /** How the connection ended before the node said anything; it speaks first, in HTTP/2. */
  readonly failure: string | undefined;
}

function shakeHands({
  endpoint: { host, port },
  tls,
  clock,
}: Omit<Suspect, "identity">): Promise<Outcome> {
  return new Promise((resolve) => {
    let server: X509Certificate | undefined;
    let verdict = "";
    const settle = (failure?: string) => {
      cancel();
      resolve({ server, verdict, failure });
      socket.destroy();
    };
    const socket: TLSSocket = connect({
      ...tls,
      host,
      port,
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
    });
    const cancel = clock.alarm(after(clock.now(), PATIENCE), () => settle(NO_ANSWER));
    socket.once("secureConnect", () => {
      server = socket.getPeerX509Certificate();
      // Node declares an Error and sets the code of one.
      verdict = (socket.authorizationError as unknown as string | null) ?? "";
    });
    socket.once("data", () => settle());
    socket.once("error", (error: NodeJS.ErrnoException) => settle(error.code ?? error.message));
    socket.once("close", () => settle("it hung up"));
  });
}

const UNKNOWN_AUTHORITY = [
  "failed to verify certificate: x509: certificate signed by unknown authority",
  "this talosconfig is of another cluster, or the cluster's authority was replaced: use the " +
    "talosconfig that the node wrote, and check that machine.ca is the authority in it",
] as const;
const RENEWAL =
  "nodes renew their certificates by themselves: check the clocks of both machines, and the log of " +
  "the node for what keeps it from renewing";

type Words = readonly [sentence: string, hint: string];

/** What OpenSSL says of a server, in the words of the documentation. */
const serverProblems: Readonly<Record<string, readonly [CertificateProblem, ...Words]>> = {
  CERT_HAS_EXPIRED: [
    "ERR_SERVER_CERTIFICATE_EXPIRED",
    "failed to connect: x509: certificate has expired",
    RENEWAL,
  ],
  CERT_NOT_YET_VALID: [
    "ERR_SERVER_CERTIFICATE_NOT_YET_VALID",
    "failed to connect: x509: certificate is not yet valid",
    "check the clocks of both machines",
  ],
  CERT_SIGNATURE_FAILURE: ["ERR_SERVER_CERTIFICATE_AUTHORITY", ...UNKNOWN_AUTHORITY],
  DEPTH_ZERO_SELF_SIGNED_CERT: ["ERR_SERVER_CERTIFICATE_AUTHORITY", ...UNKNOWN_AUTHORITY],
  SELF_SIGNED_CERT_IN_CHAIN: ["ERR_SERVER_CERTIFICATE_AUTHORITY", ...UNKNOWN_AUTHORITY],
  UNABLE_TO_GET_ISSUER_CERT: ["ERR_SERVER_CERTIFICATE_AUTHORITY", ...UNKNOWN_AUTHORITY],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ["ERR_SERVER_CERTIFICATE_AUTHORITY", ...UNKNOWN_AUTHORITY],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ["ERR_SERVER_CERTIFICATE_AUTHORITY", ...UNKNOWN_AUTHORITY],
};

function problemOfServer(
  certificate: X509Certificate,
  verdict: string,
  { endpoint, identity, clock }: Suspect,
): Error | undefined {
  const whose = `the certificate of the node at ${formatEndpoint(endpoint)}`;
  if (verdict === "") return wrongName(certificate, endpoint, whose);
  const [code, sentence, hint] = serverProblems[verdict] ?? [
    "ERR_SERVER_CERTIFICATE_INVALID",
    `failed to verify certificate: ${verdict}`,
    "check the certificate of the node",
  ];
  // A good leaf under a bad authority: then that is the one to show.
  const isLeafEnded = certificate.validToDate.getTime() < clock.now();
  if (code === "ERR_SERVER_CERTIFICATE_EXPIRED" && !isLeafEnded && identity.ca !== "")
    return new CertificateProblemError(code, {
      sentence,
      whose: `the authority of ${identity.source}`,
      certificate: new X509Certificate(identity.ca),
      hint: "replace the authority of the cluster, then " + NEW_TALOSCONFIG,
    });
  return new CertificateProblemError(code, { sentence, whose, certificate, hint });
}

function wrongName(
  certificate: X509Certificate,
  { host }: Endpoint,
  whose: string,
): Error | undefined {
  const { subjectaltname } = certificate.toLegacyObject();
  if (checkServerIdentity(host, certificate.toLegacyObject()) === undefined) return undefined;
  const names = (subjectaltname ?? "no name").replaceAll(/\b(?:DNS|IP Address):/g, "");
  const kind = isIP(host) ? "address" : "name";
  return new CertificateProblemError("ERR_SERVER_CERTIFICATE_NAME", {
    sentence: `failed to verify certificate: x509: certificate is valid for ${names}, not ${host}`,
    whose,
    certificate,
    hint: `use an endpoint that it is valid for, or put this ${kind} into machine.certSANs of the node`,
  });
}

/** The node is fine with itself and ended the connection: it does not like us. */
function rejection(how: string, { endpoint, identity }: Suspect): Error {
  const certificate = new X509Certificate(identity.crt);
  const whose = `the client certificate of ${identity.source}`;
  const place = formatEndpoint(endpoint);
  return isOfOurAuthority(certificate, identity.ca)
    ? new CertificateProblemError("ERR_CLIENT_CERTIFICATE_REJECTED", {
        sentence: `failed to connect: the node at ${place} turned us away (${how})`,
        whose,
        certificate,
        hint: "the log of the node has the reason, with this fingerprint",
      })
    : new CertificateProblemError("ERR_CLIENT_CERTIFICATE_REJECTED", {
        sentence: `${UNKNOWN_AUTHORITY[0]}: the node at ${place} turned us away`,
        whose,
        certificate,
        hint: NEW_TALOSCONFIG,
      });
}

const isOfOurAuthority = (certificate: X509Certificate, ca: string): boolean =>
  readCertificates(ca)
    .map(({ pem }) => new X509Certificate(pem))
    .some(
      (authority) => certificate.checkIssued(authority) && certificate.verify(authority.publicKey),
    );
