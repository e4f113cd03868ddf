/**
 * Keeps what a node that joins by token holds: the certificate that its API serves, and the one that it
 * is a client with. A request is stored before it is sent, and sent again as it is until it is answered.
 * What is held stays until there is something better, and the clock is not waited for
 * (talos-pki.md §6.3 step 4, §6.5, §7).
 */
import {
  type Certificate,
  type IssueRequest,
  isToReplace,
  type KeyAlgorithm,
  type KeyedPem,
  leafKeyUnder,
  readCsr,
} from "#pki";
import {
  CertSAN,
  Endpoint,
  Identity,
  MachineType,
  NetworkStatus,
  NodeCertificate,
  OSRoot,
  RenewalRequest,
  TimeStatus,
} from "#resources";
import {
  after,
  all,
  CodedError,
  type DeepReadonly,
  defineController,
  exclusive,
  gate,
  type InputValues,
  type Instant,
  maybe,
  minutes,
  type Random,
  type Resource,
  rfc3339,
  type SpecOf,
} from "#runtime";
import { waitForRest } from "../config-version.ts";
import {
  type AskReason,
  hasNames,
  heldUnder,
  judgeHolding,
  type Judgement,
  type NodeLeaf,
  type NodeNames,
} from "../node-renewal.ts";
import { acceptedBy, type NodeHolding, trustedCAs } from "../node-trust.ts";
import { certificateIn } from "../readable.ts";
import { replacementsOf } from "../renewal-requests.ts";

/** A request on its way: ids, keys and CSRs, PEM. */
export type PendingRequest = DeepReadonly<NonNullable<SpecOf<typeof NodeCertificate>["pending"]>>;

/** What a signer is asked. */
export interface CertificateWish {
  readonly request: PendingRequest;
  /** This node's own. */
  readonly nodeId: string;
  /** Of the configuration; may be empty. */
  readonly token: string;
  readonly names: NodeNames;
  /** Of new keys. */
  readonly algorithm: KeyAlgorithm;
  /** Who is not under one of these is not talked to. */
  readonly acceptedCAs: readonly Certificate[];
  /** Hosts of control planes: names and addresses. */
  readonly endpoints: readonly string[];
  /** What the node is a client with until now; it may have ended. */
  readonly identity: KeyedPem | null;
  /** Where apid of control planes listens; 0 where that is not known. */
  readonly apiPort: number;
  /** This node's clock, put right by what is known of the signer's. */
  readonly now: Instant;
}

/** What a signer has answered, and is found good. */
export type CertificateAnswer = Pick<
  NodeHolding,
  "serving" | "identity" | "acceptedCAs" | "machineType" | "apiPort" | "peerSkew"
>;

/** Asks signers, one after the other, for a while. */
export type AskCertificate = (
  wish: CertificateWish,
  signal: AbortSignal,
) => Promise<CertificateAnswer>;

/** Nobody is known who could sign. */
export class ControlPlaneUnknownError extends CodedError {
  readonly code = "ERR_CONTROL_PLANE_UNKNOWN";
  constructor() {
    super(
      "no control plane is known to ask for a certificate: is cluster.controlPlane.endpoint right, " +
        "and can its name be resolved?",
    );
  }
}

/** Whoever answers could not be verified. */
export class AuthorityUnknownError extends CodedError {
  readonly code = "ERR_AUTHORITY_UNKNOWN";
  constructor() {
    super(
      "the configuration has no machine.ca.crt, and trustd is not asked unverified: put the " +
        "certificate of the cluster's authority there",
    );
  }
}

/** What was issued does not do, for a reason that asking once more does not change. */
export class AnswerUnfitError extends CodedError {
  readonly code = "ERR_ANSWER_UNFIT";
  constructor(reason: AskReason) {
    super(
      `the certificate that was just issued does not do: ${reason}; is this machine's clock right?`,
    );
  }
}

interface Options {
  readonly askCertificate: AskCertificate;
  readonly issueRequest: IssueRequest;
}

/** What a signer did not mend is not asked of it again sooner. */
const ANSWERS_APART = minutes(1);
/** These change with every answer that is taken. */
const MENDED: readonly AskReason[] = ["authorities changed", "names changed"];

/** Under which ids its leaves are reported, and asked for. */
const IDS = {
  "apid-server": "apid-server",
  "node-identity": "node-identity",
} as const satisfies Record<NodeLeaf, NodeLeaf>;

const inputs = {
  root: gate(OSRoot, "os"),
  type: gate(MachineType, "machine-type"),
  network: gate(NetworkStatus, "status", (status) => status.addressReady),
  names: gate(CertSAN, "api"),
  identity: gate(Identity, "local"),
  endpoints: all(Endpoint),
  time: maybe(TimeStatus, "node"), // not waited for: a change of the clock is a reason to look
  requests: all(RenewalRequest),
};

export const nodeCertificateController = ({ askCertificate, issueRequest }: Options) => {
  const waitUntil = waitForRest();
  let answeredAt: Instant | null = null; // by this process
  return defineController({
    name: "secrets.NodeCertificateController",
    inputs,
    outputs: { certificates: exclusive(NodeCertificate) },

    async reconcile({ inputs, held, clock, random, signal }) {
      if (inputs.type.spec.type !== "worker") return { outputs: { certificates: {} } };
      const now = clock.now();
      const holding = held.certificates.node ?? nothingHeld;
      const wakeAt = waitUntil(now, [inputs.root, inputs.names]);
      if (wakeAt !== null) return { outputs: { certificates: held.certificates }, wakeAt };
      const wish = wishOf(inputs, holding, now);
      const judgement = await judge(holding, wish, inputs.requests, now);
      if (judgement.reason === null) {
        const node = withoutPending(holding);
        return { outputs: { certificates: { node } }, wakeAt: judgement.renewAt };
      }
      if (isInVain(judgement.reason, answeredAt, now)) throw new AnswerUnfitError(judgement.reason);
      const request = holding.pending;
      if (request === null || !(await asksFor(request, wish))) {
        const pending = await newRequest(wish, request, { issueRequest, random, now });
        return { outputs: { certificates: { node: { ...holding, pending } } }, wakeAt: now };
      }
      checkWish(wish);
      const answer = await askCertificate({ ...wish, request }, signal);
      answeredAt = clock.now();
      const node = { ...answer, acceptedThen: wish.acceptedNow, pending: null };
      const { reason, renewAt } = await judge(
        node,
        wishOf(inputs, node, answeredAt),
        [],
        answeredAt,
      );
      return {
        outputs: { certificates: { node } },
        wakeAt: reason === null ? renewAt : answeredAt,
      };
    },
  });
};

/** What does is not asked for any more. */
const withoutPending = (held: NodeHolding): NodeHolding =>
  held.pending === null ? held : { ...held, pending: null };

const nothingHeld: NodeHolding = Object.freeze({
  serving: null,
  identity: null,
  acceptedCAs: [],
  acceptedThen: [],
  machineType: "",
  apiPort: 0,
  peerSkew: null,
  pending: null,
});

type Wish = Omit<CertificateWish, "request"> & {
  /** What the configuration accepts, by fingerprint. */
  readonly acceptedNow: readonly string[];
};

function wishOf(
  { root: { spec: root }, ...seen }: InputValues<typeof inputs>,
  holding: NodeHolding,
  now: Instant,
): Wish {
  const { fqdn: commonName, dnsNames, ips: ipAddresses } = seen.names.spec;
  const hosts = seen.endpoints.flatMap(({ spec }) => [...spec.addresses, ...spec.hosts]);
  return {
    nodeId: seen.identity.spec.nodeId,
    token: root.token,
    names: { commonName, dnsNames, ipAddresses },
    algorithm: keyUnderLast(root.acceptedCAs),
    acceptedCAs: trustedCAs(root, holding),
    acceptedNow: acceptedBy(root),
    endpoints: [...new Set(hosts)],
    identity: holding.identity,
    apiPort: holding.apiPort,
    now: after(now, holding.peerSkew ?? 0),
  };
}

/** The issuing authority is the last one of the configuration. */
function keyUnderLast(acceptedCAs: readonly { readonly crt: string }[]): KeyAlgorithm {
  const last = certificateIn(acceptedCAs.at(-1)?.crt ?? "");
  return last ? leafKeyUnder(last) : "Ed25519";
}

/** Something that is asked for by somebody counts before anything else. */
async function judge(
  holding: NodeHolding,
  { names, acceptedCAs: trusted, acceptedNow: accepted }: Wish,
  requests: readonly Resource<SpecOf<typeof RenewalRequest>>[],
  now: Instant,
): Promise<Omit<Judgement, "reason"> & { readonly reason: AskReason | "asked for" | null }> {
  const replacements = replacementsOf(requests, IDS);
  for (const [id, pem] of Object.entries(heldUnder(holding))) {
    const certificate = pem && certificateIn(pem.crt);
    if (certificate && isToReplace(certificate, replacements[id as NodeLeaf]))
      return { reason: "asked for", renewAt: null };
  }
  return judgeHolding(holding, { names, trusted, accepted, now });
}

const isInVain = (
  reason: AskReason | "asked for",
  answeredAt: Instant | null,
  now: Instant,
): reason is AskReason =>
  reason !== "asked for" &&
  !MENDED.includes(reason) &&
  answeredAt !== null &&
  now >= answeredAt &&
  now < after(answeredAt, ANSWERS_APART);

/** Whether a request that is on its way still says what is wanted. */
async function asksFor({ servingCsr }: PendingRequest, wish: Wish): Promise<boolean> {
  const csr = await readCsr(servingCsr).catch(() => undefined);
  return csr?.publicKey.algorithm === wish.algorithm && hasNames(csr, wish.names);
}

/** @throws {AuthorityUnknownError} {@link ControlPlaneUnknownError} */
function checkWish({ acceptedCAs, endpoints }: Wish): void {
  if (acceptedCAs.length === 0) throw new AuthorityUnknownError();
  if (endpoints.length === 0) throw new ControlPlaneUnknownError();
}

/**
 * The one before may have been answered, and the answer lost: then its identity is on record, and the
 * node is known by the key of it.
 */
async function newRequest(
  { names, algorithm, nodeId }: Wish,
  before: PendingRequest | null,
  {
    issueRequest,
    random,
    now,
  }: { readonly issueRequest: IssueRequest; readonly random: Random; readonly now: Instant },
): Promise<PendingRequest> {
  const serving = await issueRequest({ algorithm, ...names });
  const kept =
    before === null ? undefined : await readCsr(before.identityCsr).catch(() => undefined);
  const identity =
    before !== null && kept?.publicKey.algorithm === algorithm
      ? { key: before.identityKey, csr: before.identityCsr }
      : await issueRequest({ algorithm, commonName: nodeId });
  return {
    requestId: hex(random.bytes(16)),
    since: rfc3339(now),
    servingKey: serving.key,
    servingCsr: serving.csr,
    identityKey: identity.key,
    identityCsr: identity.csr,
  };
}

const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
