/** The calls that sign, with a spoilt request in each place where one stands. */
import { buildName, issueCsr, readCertificate, type Certificate, type PrivateKey } from "#pki";
import type { JoinRequest, SigningRequest } from "../../src/apps/rpc/gen/node/node.ts";
import { proofOf } from "../../src/apps/trustd/proof.ts";
import type { Signer } from "../../src/apps/trustd/signer.ts";
import type { Chance } from "./chance.ts";
import type { Issue } from "./referee.ts";

/** What was issued, and the request that it has to be within. */
export type Answer = readonly Pick<Issue, "pem" | "use" | "nodeId" | "csr">[];

export const TOKEN = "mach1n.0123456789abcdef";

/** One who is a member all the time. */
export interface FuzzMember {
  readonly nodeId: string;
  readonly key: PrivateKey;
  readonly certificate: Certificate;
  /** What it asks for when it is not to be spoilt. */
  readonly csr: Buffer;
}

/** A call that is about to be made. */
interface Round {
  readonly signer: Signer;
  readonly member: FuzzMember;
  readonly csr: Uint8Array;
  readonly pem: string;
  readonly chance: Chance;
}

const PEER = "192.0.2.77:4000";
const asker = { peer: PEER, token: TOKEN };
const NOTHING = Buffer.alloc(0);

/** The request of a member that wants no more than its name. */
export const memberCsr = async (key: PrivateKey): Promise<Buffer> =>
  Buffer.from(await issueCsr({ key, subject: buildName({ commonName: "z" }), dnsNames: ["z"] }));

const letters = "0123456789abcdefghijklmnopqrstuvwxyz".match(/./g) ?? [];
const newId = (chance: Chance) => Array.from({ length: 44 }, () => chance.of(letters)).join("");
const newRequestId = (chance: Chance) => Buffer.from(chance.bytes(16)).toString("hex");

type Field = "servingCsr" | "identityCsr";

function signing(field: Field, { member, pem, chance }: Round): SigningRequest {
  const good = { servingCsr: member.csr, identityCsr: member.csr };
  return { requestId: newRequestId(chance), ...good, [field]: Buffer.from(pem) };
}

/** Of the one that was spoilt only: the other one is as it ever was. */
const issued = (
  field: Field,
  answer: { readonly servingCrt: Buffer; readonly identityCrt: Buffer },
  nodeId: string,
  { csr }: Round,
): Answer => [
  field === "servingCsr"
    ? { pem: answer.servingCrt.toString(), use: "serverAuth", csr }
    : { pem: answer.identityCrt.toString(), use: "clientAuth", csr, nodeId },
];

const join =
  (field: Field) =>
  async (round: Round): Promise<Answer> => {
    const nodeId = newId(round.chance);
    const request = { signing: signing(field, round), nodeId };
    const answer = await round.signer.join(asker, {
      ...{ ...request, formerCrt: NOTHING, formerSignature: NOTHING },
    });
    return issued(field, answer.issued!, nodeId, round);
  };

/** One who is on record, which its key shows; now and then that is spoilt, too. */
async function rejoin(round: Round): Promise<Answer> {
  const { member, chance } = round;
  const { nodeId, key, certificate } = member;
  const good = signing("servingCsr", round);
  const signature = Buffer.from(await key.sign(proofOf(good, nodeId)));
  const former = Buffer.from(certificate.pem);
  const request: JoinRequest = {
    signing: good,
    nodeId: chance.happens(0.9) ? nodeId : newId(chance),
    formerCrt: chance.happens(0.8) ? former : spoilt(former, chance),
    formerSignature: chance.happens(0.8) ? signature : spoilt(signature, chance),
  };
  const answer = await round.signer.join(asker, request);
  return issued("servingCsr", answer.issued!, nodeId, round);
}

function spoilt(bytes: Buffer, chance: Chance): Buffer {
  const copy = Buffer.from(bytes);
  copy[chance.below(copy.length)]! ^= 1 << chance.below(8);
  return chance.happens(0.5) ? copy : copy.subarray(0, chance.below(copy.length));
}

const renew =
  (field: Field) =>
  async (round: Round): Promise<Answer> => {
    const { nodeId, certificate } = round.member;
    const request = { signing: signing(field, round) };
    const answer = await round.signer.renew({ peer: PEER, certificate }, request);
    return issued(field, answer.issued!, nodeId, round);
  };

async function certificate({ signer, pem, csr }: Round): Promise<Answer> {
  const { crt } = await signer.certificate(asker, { csr: Buffer.from(pem) });
  return [{ pem: crt.toString(), use: "serverAuth", csr }];
}

/** One of them is chosen in each round. */
export const calls: readonly ((round: Round) => Promise<Answer>)[] = [
  ...[certificate, certificate, join("servingCsr"), join("identityCsr"), rejoin],
  ...[renew("servingCsr"), renew("identityCsr")],
];

/** Has a member, new or on record, certified for what it ever asks for. */
export async function goodIdentity(
  signer: Signer,
  member: Omit<FuzzMember, "certificate"> & { readonly certificate?: Certificate },
  requestId: string,
): Promise<FuzzMember> {
  const { nodeId, csr, certificate } = member;
  const request = { requestId, servingCsr: csr, identityCsr: csr };
  const { issued: answer } =
    certificate === undefined
      ? await signer.join(asker, {
          ...{ signing: request, nodeId, formerCrt: NOTHING, formerSignature: NOTHING },
        })
      : await signer.renew({ peer: PEER, certificate }, { signing: request });
  return { ...member, certificate: readCertificate(answer!.identityCrt.toString()) };
}
