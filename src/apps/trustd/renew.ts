/** Renews what a member holds; what it is stays as it is on record. */
import { fingerprintsOf, type Certificate } from "#pki";
import type { RenewNodeRequest, RenewNodeResponse } from "../rpc/gen/node/node.ts";
import { gateBounds, outsideBounds } from "./admission/bounds.ts";
import { namesOf, type Names } from "./admission/names.ts";
import { firstObjection } from "./admission/objection.ts";
import { nameOfAnother } from "./admission/others.ts";
import type { Standing } from "./admission/standing.ts";
import { foreignAddress } from "./admission/strict.ts";
import { AdmissionRefusedError } from "./errors.ts";
import { memberNames } from "./join.ts";
import { gone, memberNamed, type RecordedMember } from "./members/asker.ts";
import { putAnswer, putIssued, putMember } from "./records.ts";
import { repeated } from "./repeat.ts";
import { digestOfRequest, readAsked, signingOf } from "./request.ts";
import type { MemberAsker } from "./signer.ts";
import { issuedTo, type Signing } from "./signing.ts";

/** Answers a renewal. */
export async function answerRenew(
  { certificate, peer }: MemberAsker,
  request: RenewNodeRequest,
  signing: Signing,
): Promise<RenewNodeResponse> {
  const { facts, ledger, issuing, clock, cluster, renewals } = signing;
  await cluster.open();
  const nodeId = memberIn(facts, certificate).metadata.id;
  const asked = signingOf(request.signing);
  const digest = digestOfRequest("Renew", nodeId, nodeId, asked);
  const before = repeated(digest, nodeId, facts, clock.now());
  if (before !== undefined) return { issued: issuedTo(signing, ...before) };
  renewals.count(nodeId);
  const { serving, identity } = await readAsked(asked);
  const names = memberNames(namesOf(serving));
  const admit = (standing: Standing) => {
    const record = memberIn(standing, certificate).spec;
    const objection = objectionToRenewal({ names, peer, nodeId }, record, standing, signing);
    if (objection !== undefined) throw new AdmissionRefusedError(objection);
    return record;
  };
  const { bounds } = admit(facts);
  const pair = {
    serving: await issuing.serving(serving, gateBounds(names, bounds)),
    identity: await issuing.identity(identity, nodeId),
  };
  const answered = await ledger.enter((draft) => {
    const now = clock.now();
    const meanwhile = repeated(digest, nodeId, draft, now);
    if (meanwhile !== undefined) return meanwhile;
    const record = admit(draft);
    issuing.recheck(pair.serving, pair.identity);
    const occasion = { nodeId, token: "", peer };
    putIssued(draft, "nodeServer", pair.serving, occasion);
    putIssued(draft, "nodeIdentity", pair.identity, occasion);
    putMember(draft, nodeId, record, { names, pair, now, proven: fingerprintsOf(certificate) });
    putAnswer(draft, digest, pair, { nodeId, now });
    const certificates = { servingCrt: pair.serving.pem, identityCrt: pair.identity.pem };
    return [record.machineType, certificates] as const;
  });
  return { issued: issuedTo(signing, ...answered) };
}

/** @throws {NotAMemberError} also for one whose certificate is denied */
function memberIn(
  { member, isDenied, isReserved }: Standing,
  certificate: Certificate,
): RecordedMember {
  const found = memberNamed(certificate, member);
  const { id } = found.metadata;
  if (isDenied(certificate) || isReserved(id)) throw gone(id);
  return found;
}

const objectionToRenewal = (
  { names, peer, nodeId }: { names: Names; peer: string; nodeId: string },
  record: RecordedMember["spec"],
  standing: Standing,
  { clock, isStrict }: Signing,
) =>
  firstObjection(
    () => outsideBounds(names, record.bounds),
    () => nameOfAnother(names, { own: nodeId, now: clock.now() }, standing),
    () => (isStrict ? foreignAddress(names, peer, record.addresses, standing) : undefined),
  );
