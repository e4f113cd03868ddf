/**
 * What a simulated control plane answers nodes: trustd's own signer, at the end of the simulated network.
 * Each call is put on record as it comes, and so is what it was answered.
 */
import { X509Certificate } from "node:crypto";
import { status } from "@grpc/grpc-js";
import {
  type Certificate,
  fingerprintsOf,
  readCertificate,
  readCertificates,
  verifyChain,
} from "#pki";
import { DeniedCertificate, OSRoot, TrustdCertificates } from "#resources";
import type { Operator } from "#runtime/simulation";
import { AccessDeniedError, statusOf, type StatusTable } from "#runtime/rpc";
import { authorize, rolesIn } from "../../apid/roles.ts";
import {
  JoinRequest,
  JoinResponse,
  RenewNodeRequest,
  RenewNodeResponse,
} from "../../rpc/gen/node/node.ts";
import { CertificateRequest, CertificateResponse } from "../../rpc/gen/security/security.ts";
import type { MemberAsker, Signer, TokenAsker } from "../../trustd/signer.ts";
import { addressOf } from "./cluster.ts";
import { type Call, isProven, packAnswer, SERVICE, unpackCall } from "./call.ts";
import { type Called, type Issued, sha256, tell } from "./record.ts";

interface ServiceOptions {
  readonly signer: Signer;
  readonly statuses: readonly StatusTable[];
}

/** Answers from now on, as long as the process lives. */
export function serveNodes(machine: Operator, { signer, statuses }: ServiceOptions): void {
  let calls = 0;
  const boot = sha256(machine.random.bytes(8)).slice(0, 8);
  machine.network.serve(SERVICE, async (bytes, from) => {
    const call = unpackCall(bytes);
    const id = `${boot}/${String(calls++)}`;
    const server = (await machine.store.get(TrustdCertificates, "trustd"))?.spec.server.crt ?? "";
    tell(machine, { what: "called", ...factsOf(call, id, from, machine) });
    try {
      const { response, issued } = await rows[call.method](call, { machine, signer, from });
      tell(machine, { what: "answered", id, ...issued });
      return packAnswer({ server, response });
    } catch (error) {
      const { code, details } = statusOf(error, call.method, statuses);
      tell(machine, { what: "refused", id, code: status[code] });
      return packAnswer({ server, status: code, reason: details });
    }
  });
}

interface Means extends Pick<ServiceOptions, "signer"> {
  readonly machine: Operator;
  readonly from: string;
}

interface Answered {
  readonly response: Uint8Array;
  readonly issued: Issued;
}

const rows: Readonly<Record<Call["method"], (call: Call, means: Means) => Promise<Answered>>> = {
  async Certificate(call, means) {
    const request = CertificateRequest.decode(call.request);
    const response = await means.signer.certificate(tokenAsker(call, means), request);
    const issued = { serving: textOf(response.crt), identity: "" };
    return { response: CertificateResponse.encode(response).finish(), issued };
  },
  async Join(call, means) {
    const request = JoinRequest.decode(call.request);
    const response = await means.signer.join(tokenAsker(call, means), request);
    return { response: JoinResponse.encode(response).finish(), issued: issuedIn(response) };
  },
  async Renew(call, means) {
    const request = RenewNodeRequest.decode(call.request);
    const response = await means.signer.renew(await memberAsker(call, means), request);
    return { response: RenewNodeResponse.encode(response).finish(), issued: issuedIn(response) };
  },
};

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

const issuedIn = ({ issued }: JoinResponse | RenewNodeResponse): Issued => ({
  serving: textOf(issued?.servingCrt ?? new Uint8Array()),
  identity: textOf(issued?.identityCrt ?? new Uint8Array()),
});

const peerOf = (from: string): string => `${addressOf(from)}:40000`;

const tokenAsker = ({ token }: Call, { from }: Means): TokenAsker => ({
  peer: peerOf(from),
  token,
});

/** As apid would have it: a good chain, the right role, not denied. */
async function memberAsker(call: Call, { machine, from }: Means): Promise<MemberAsker> {
  if (call.identity === undefined || !isProven(call))
    throw new AccessDeniedError("no client certificate");
  const certificate = readCertificate(call.identity.crt);
  const { store, clock } = machine;
  const roots = (await store.get(OSRoot, "os"))?.spec.acceptedCAs ?? [];
  const verdict = await verifyChain({
    leaf: certificate,
    anchors: roots.flatMap(({ crt }) => readCertificates(crt)),
    now: clock.now(),
    usage: "clientAuth",
  });
  if (!verdict.valid) throw new AccessDeniedError(verdict.reason);
  if (await isDenied(certificate, machine)) throw new AccessDeniedError("it is denied");
  authorize(rolesIn(certificate), `/trustplane.v1.NodeService/${call.method}`);
  return { peer: peerOf(from), certificate };
}

async function isDenied(certificate: Certificate, { store }: Operator): Promise<boolean> {
  for (const fingerprint of fingerprintsOf(certificate))
    if ((await store.get(DeniedCertificate, fingerprint)) !== undefined) return true;
  return false;
}

/** What a call says, read by node:crypto and the message alone. */
function factsOf(call: Call, id: string, from: string, { clock }: Operator): Called {
  const { method, token } = call;
  const nodeId = nodeIdOf(call);
  const wanted = sha256(JSON.stringify(wantedIn(call)));
  return {
    ...{ id, method, from, nodeId, wanted },
    token: token === undefined ? "" : sha256(token),
    digest: sha256(JSON.stringify([method, nodeId, wanted])),
    at: clock.now(),
  };
}

function wantedIn({ method, request }: Call): readonly string[] {
  if (method === "Certificate") return [sha256(request)];
  const { signing } =
    method === "Join" ? JoinRequest.decode(request) : RenewNodeRequest.decode(request);
  const none = new Uint8Array();
  const { requestId = "", servingCsr = none, identityCsr = none } = signing ?? {};
  return [requestId, sha256(servingCsr), sha256(identityCsr)];
}

function nodeIdOf({ method, request, identity }: Call): string {
  if (method === "Join") return JoinRequest.decode(request).nodeId;
  if (identity === undefined) return "";
  const { subject } = new X509Certificate(identity.crt);
  return /^CN=(.*)$/m.exec(subject)?.[1] ?? "";
}
