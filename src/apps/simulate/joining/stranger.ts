/**
 * Somebody who asks for what is not for them: with tokens that are wrong, ended, revoked or spent, for
 * names of others, for more than a token is bound to, as somebody else, and again what was asked before.
 * Nothing here judges what comes of it.
 */
import { buildName, issueCsr, type KeyedPem } from "#pki";
import type { Operator } from "#runtime/simulation";
import { JoinRequest, JoinResponse, RenewNodeRequest } from "../../rpc/gen/node/node.ts";
import { CertificateRequest } from "../../rpc/gen/security/security.ts";
import { keysOf } from "../node.ts";
import { callControlPlane, type Calling } from "./calling.ts";
import { addressOf, CONTROL_PLANE, idOf, joinToken, machineToken, STRANGER } from "./cluster.ts";
import { sha256 } from "./record.ts";

/** What a stranger has heard of. */
export interface Heard {
  /** Names of join tokens that leaked. */
  readonly leaked: readonly string[];
  /** Whose names it asks for. */
  readonly others: readonly string[];
}

interface Wanted {
  readonly commonName: string;
  readonly organizations?: readonly string[];
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
}

const own: Wanted = {
  commonName: STRANGER,
  dnsNames: [STRANGER],
  ipAddresses: [addressOf(STRANGER)],
};

const TIMEOUT = 10_000;

/** One attempt, of whatever kind; most are refused, and some calls are lost. */
export const tries =
  (heard: Heard) =>
  async (operator: Operator): Promise<void> => {
    if (operator.name !== STRANGER) return;
    const all = Object.values(attempts);
    const attempt = all[operator.random.below(all.length)];
    await attempt?.(operator, heard).catch(() => undefined);
  };

type Attempt = (operator: Operator, heard: Heard) => Promise<void>;

const oneOf = <T>({ random }: Operator, list: readonly T[]): T =>
  list[random.below(list.length)] as T;

/** Where what it got is kept: nobody but a stranger reads it. */
const MINE = "stranger/identity";
const SENT = "stranger/sent";
/** So many of its requests it can send again. */
const SENT_MAX = 12;
/** Of its own single-use tokens, which are made one after the other. */
export const BAITS = 64;
export const baitOf = (number: number): string => `bait ${String(number)}`;

const attempts: Readonly<Record<string, Attempt>> = {
  async wrongToken(operator, heard) {
    const [id] = joinToken(operator, oneOf(operator, heard.leaked)).split(".");
    const guessed = `${String(id)}.${"0123456789abcdef".slice(0, 16)}`;
    const token = oneOf(operator, [
      guessed,
      joinToken(operator, "nobody made this"),
      "",
      undefined,
    ]);
    await joins(operator, token, own);
  },
  async leakedToken(operator, heard) {
    await joins(operator, joinToken(operator, oneOf(operator, heard.leaked)), own);
  },
  async formerMachineToken(operator) {
    await joins(operator, machineToken(operator, operator.random.below(2)), own);
  },
  async plainCall(operator, heard) {
    const token = oneOf(operator, [
      joinToken(operator, oneOf(operator, heard.leaked)),
      machineToken(operator, operator.random.below(3)),
    ]);
    const { csr } = await requestFor(operator, unseemly(operator, heard));
    await calls(operator, {
      method: "Certificate",
      token,
      request: CertificateRequest.encode({ csr: Buffer.from(csr) }).finish(),
    });
  },
  async otherNames(operator, heard) {
    await joins(
      operator,
      machineToken(operator, operator.random.below(3)),
      unseemly(operator, heard),
    );
  },
  async grownNames(operator, heard) {
    const identity = mine(operator);
    if (identity === undefined) return;
    const { signing } = await signingFor(operator, unseemly(operator, heard));
    const request = RenewNodeRequest.encode({ signing }).finish();
    await calls(operator, { method: "Renew", identity, request });
  },
  async somebodyElse(operator, heard) {
    const identity = mine(operator);
    if (identity !== undefined) {
      const { signing } = await signingFor(operator, own);
      const request = RenewNodeRequest.encode({ signing }).finish();
      const { key } = await requestFor(operator, own);
      await calls(operator, { method: "Renew", identity: { ...identity, key }, request }).catch(
        () => undefined,
      );
    }
    const token = oneOf(operator, [
      joinToken(operator, oneOf(operator, heard.leaked)),
      joinToken(operator, baitOf(operator.random.below(BAITS))),
      machineToken(operator, operator.random.below(3)),
    ]);
    await joins(operator, token, own, idOf(operator, oneOf(operator, heard.others)));
  },
  async again(operator) {
    const all = sent(operator);
    if (all.length === 0) return;
    const { token, request } = oneOf(operator, all);
    await calls(operator, { method: "Join", token, request: Buffer.from(request, "base64") });
  },
  async twiceAtOnce(operator) {
    const token = joinToken(operator, baitOf(operator.random.below(BAITS)));
    const both = [joins(operator, token, own), joins(operator, token, own)];
    await Promise.allSettled(both);
  },
};

/** Names that are somebody else's, too many, or none that anybody should have. */
function unseemly(operator: Operator, { others }: Heard): Wanted {
  const name = oneOf(operator, [...others, CONTROL_PLANE]);
  return oneOf<Wanted>(operator, [
    { ...own, commonName: name, dnsNames: [STRANGER, name] },
    { ...own, ipAddresses: [addressOf(name)] },
    { ...own, organizations: ["os:admin"] },
    { ...own, dnsNames: [STRANGER, "*.example"] },
    { ...own, ipAddresses: [addressOf(STRANGER), "10.9.8.7"] },
    { ...own, dnsNames: [STRANGER, ...Array.from("abcdefgh", (letter) => `${letter}.example`)] },
    { ...own, dnsNames: [STRANGER, "more.example"] },
    own,
  ]);
}

async function requestFor(operator: Operator, wanted: Wanted) {
  const key = await keysOf(operator).issueKey("Ed25519");
  const { commonName, organizations = [], dnsNames, ipAddresses } = wanted;
  const subject = buildName({ commonName, organizations });
  return { key: await key.pem(), csr: await issueCsr({ key, subject, dnsNames, ipAddresses }) };
}

async function signingFor(operator: Operator, wanted: Wanted) {
  const serving = await requestFor(operator, wanted);
  const identity = await requestFor(operator, { ...own, organizations: ["os:admin"] });
  const requestId = Buffer.from(operator.random.bytes(16)).toString("hex");
  return {
    key: identity.key,
    signing: {
      requestId,
      servingCsr: Buffer.from(serving.csr),
      identityCsr: Buffer.from(identity.csr),
    },
  };
}

async function joins(
  operator: Operator,
  token: string | undefined,
  wanted: Wanted,
  nodeId = idOf(operator, STRANGER),
): Promise<void> {
  const { key, signing } = await signingFor(operator, wanted);
  const none = Buffer.alloc(0);
  const asked = { signing, nodeId, formerCrt: none, formerSignature: none };
  const former = operator.random.below(4) > 0 ? mine(operator) : undefined;
  const request = JoinRequest.encode(await proven(operator, asked, former)).finish();
  const news = { token, request: Buffer.from(request).toString("base64") };
  operator.files.set(SENT, JSON.stringify([news, ...sent(operator)].slice(0, SENT_MAX)));
  const bytes = await calls(operator, { method: "Join", token, request });
  const { issued } = JoinResponse.decode(bytes);
  const crt = Buffer.from(issued?.identityCrt ?? none).toString("latin1");
  operator.files.set(MINE, JSON.stringify({ crt, key }));
}

type Asked = JoinRequest & { readonly signing: NonNullable<JoinRequest["signing"]> };

/** Adds what shows that the key of a former identity is its own. */
async function proven(operator: Operator, asked: Asked, former: KeyedPem | undefined) {
  if (former === undefined) return asked;
  const key = await keysOf(operator).readKey(former.key);
  const { requestId, servingCsr, identityCsr } = asked.signing;
  const parts = [requestId, servingCsr, identityCsr, asked.nodeId];
  const digests = parts.map((part) => Buffer.from(sha256(part), "hex"));
  const proof = Buffer.concat([Buffer.from("trustplane.v1.Join\0"), ...digests]);
  const formerSignature = Buffer.from(await key.sign(proof));
  return { ...asked, formerCrt: Buffer.from(former.crt), formerSignature };
}

interface Sent {
  readonly token?: string;
  readonly request: string;
}

const sent = ({ files }: Operator): readonly Sent[] =>
  JSON.parse(files.get(SENT) ?? "[]") as readonly Sent[];

function mine({ files }: Operator): KeyedPem | undefined {
  const text = files.get(MINE);
  return text === undefined ? undefined : (JSON.parse(text) as KeyedPem);
}

const calls = (
  operator: Operator,
  call: Pick<Calling, "method" | "request" | "token" | "identity">,
): Promise<Uint8Array> =>
  callControlPlane(operator, { ...call, host: CONTROL_PLANE, timeout: TIMEOUT });
