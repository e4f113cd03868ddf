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
  SKEW,
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
  seconds,
  type SpecOf,
} from "#runtime";
import { waitForRest } from "../config-version.ts";
import {
  AnswerUnfitError,
  AuthorityUnknownError,
  ControlPlaneUnknownError,
  JoinRefusedError,
  NamesRefusedError,
  RequestUnfitError,
} from "../node-errors.ts";
import {
  type AskReason,
  hasNames,
  heldNames,
  heldUnder,
  isSameNames,
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

interface Options {
  readonly askCertificate: AskCertificate;
  readonly issueRequest: IssueRequest;
}

/** What a signer did not mend is not asked of it again sooner, unless what it issues does not live so long. */
const ANSWERS_APART = minutes(1);
const ANSWERS_APART_MIN = seconds(1);
/** Refusals that may be for the names: a member whose token is of no use any more hears of both. */
const MAY_BE_FOR_NAMES = ["ERR_JOIN_REFUSED", "ERR_TOKEN_REFUSED"];
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
  let refused: NodeNames | null = null; // to this process, for good
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
      const wanted = wishOf(inputs, holding, now);
      const asItIs = await dueAsItIs(holding, wanted, now);
      const wish = refused && asItIs && isSameNames(refused, wanted.names) ? asItIs : wanted;
      const judgement = await judge(holding, wish, inputs.requests, now);
      if (judgement.reason === null) {
        const node = withoutPending(holding);
        return { outputs: { certificates: { node } }, wakeAt: judgement.renewAt };
      }
      const request = holding.pending;
      // One that is still on its way was answered to no end: what was answered could not be stored.
      if (request === null && isInVain(judgement.reason, holding, answeredAt, now))
        throw new AnswerUnfitError(judgement.reason);
      if (request === null || !(await asksFor(request, wish))) {
        const pending = await newRequest(wish, request, { issueRequest, random, now });
        return { outputs: { certificates: { node: { ...holding, pending } } }, wakeAt: now };
      }
      checkWish(wish);
      let answer: CertificateAnswer;
      try {
        answer = await askCertificate({ ...wish, request }, signal);
      } catch (error) {
        if (!mayBeForNames(error)) throw error;
        refused = wish === wanted ? wanted.names : null; // both are asked for in turn
        if (refused === null || asItIs === undefined) throw reasonOf(error, holding, wish);
        const pending = await newRequest(asItIs, request, { issueRequest, random, now });
        return { outputs: { certificates: { node: { ...holding, pending } } }, wakeAt: now };
      }
      answeredAt = clock.now();
      const node = { ...answer, acceptedThen: wish.acceptedNow, pending: null };
      const next = await judge(node, wishOf(inputs, node, answeredAt), [], answeredAt);
      return {
        outputs: { certificates: { node } },
        wakeAt: next.reason === null ? next.renewAt : answeredAt,
      };
    },
  });
};

/** The same wish under the names that are held, where those are others and cannot wait. */
async function dueAsItIs(
  holding: NodeHolding,
  wish: Wish,
  now: Instant,
): Promise<Wish | undefined> {
  const names = heldNames(holding);
  if (names === undefined || isSameNames(names, wish.names)) return undefined;
  const asItIs = { ...wish, names };
  return (await judge(holding, asItIs, [], now)).reason === null ? undefined : asItIs;
}

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

/** Whether it may be the names that were refused, for good. */
const mayBeForNames = (error: unknown): error is CodedError =>
  error instanceof CodedError && MAY_BE_FOR_NAMES.includes(error.code);

/** Of a refusal for good; where the names that are held are asked for, it is not for new ones. */
function reasonOf(error: CodedError, holding: NodeHolding, { names }: Wish): CodedError {
  const before = heldNames(holding);
  const isForNew = before !== undefined && !isSameNames(before, names);
  return isForNew && error instanceof JoinRefusedError ? new NamesRefusedError(error) : error;
}

const isInVain = (
  reason: AskReason | "asked for",
  { serving }: NodeHolding,
  answeredAt: Instant | null,
  now: Instant,
): reason is AskReason =>
  reason !== "asked for" &&
  !MENDED.includes(reason) &&
  answeredAt !== null &&
  now >= answeredAt &&
  now < after(answeredAt, apart(serving));

/** A certificate that is to live for less than a few minutes is not to end meanwhile. */
function apart(serving: KeyedPem | null): number {
  const leaf = serving && certificateIn(serving.crt);
  if (!leaf) return ANSWERS_APART;
  const life = leaf.notAfter - after(leaf.notBefore, SKEW);
  return Math.max(ANSWERS_APART_MIN, Math.min(ANSWERS_APART, life / 4));
}

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
  wish: Wish,
  before: PendingRequest | null,
  {
    issueRequest,
    random,
    now,
  }: { readonly issueRequest: IssueRequest; readonly random: Random; readonly now: Instant },
): Promise<PendingRequest> {
  const { names, algorithm, nodeId } = wish;
  const serving = await issueRequest({ algorithm, ...names });
  await checkRequest(serving.csr, wish);
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

/** What does not read back is never what is wanted. @throws {RequestUnfitError} */
async function checkRequest(csr: string, { names }: Wish): Promise<void> {
  const read = await readCsr(csr).catch((cause: unknown) => {
    if (!(cause instanceof CodedError)) throw cause;
    throw new RequestUnfitError(cause.message, { cause });
  });
  if (!hasNames(read, names)) throw new RequestUnfitError("it would have other names");
}

const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
