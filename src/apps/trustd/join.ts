/** Makes a node a member, or lets one in again. */
import { rfc3339, type Instant } from "#runtime";
import { fingerprintsOf, type Csr } from "#pki";
import type { JoinRequest, JoinResponse } from "../rpc/gen/node/node.ts";
import { gateBounds, outsideBounds } from "./admission/bounds.ts";
import { flawIn, flawInKeyProof, keyOf, objectionToNode, type Proven } from "./admission/former.ts";
import { namesOf, type Names } from "./admission/names.ts";
import { firstObjection } from "./admission/objection.ts";
import { nameOfAnother } from "./admission/others.ts";
import type { Standing } from "./admission/standing.ts";
import { foreignAddress } from "./admission/strict.ts";
import { grantOf, objectionToToken, objectionToUse, type Presented } from "./admission/token.ts";
import type { Attempt } from "./attempts.ts";
import { AdmissionRefusedError, SigningRequestError } from "./errors.ts";
import type { Draft } from "./ledger.ts";
import { proofOf } from "./proof.ts";
import { putAnswer, putIssued, putMember, spend, type Pair } from "./records.ts";
import { repeated, type Answered } from "./repeat.ts";
import { digestOfRequest, formerOf, nodeIdOf, readAsked, signingOf } from "./request.ts";
import { issuedTo, type Signing } from "./signing.ts";

/** A join as it is decided on. */
interface Joining {
  readonly presented: Presented;
  readonly peer: string;
  readonly nodeId: string;
  readonly names: Names;
  readonly proven: Proven;
  readonly digest: string;
}

/** Answers a join. */
export async function answerJoin(
  attempt: Attempt,
  request: JoinRequest,
  signing: Signing,
): Promise<JoinResponse> {
  const { facts, ledger, issuing, clock, cluster } = signing;
  const { presented, peer } = attempt;
  await cluster.open();
  const asked = signingOf(request.signing);
  const nodeId = nodeIdOf(request);
  const digest = digestOfRequest("Join", presented.hash, nodeId, asked);
  const before = answeredBefore(digest, nodeId, presented, facts, clock.now());
  if (before !== undefined) return { issued: issuedTo(signing, ...before) };
  attempt.mayCost();
  const { serving, identity } = await readAsked(asked);
  attempt.asksFor(serving, nodeId);
  const names = memberNames(namesOf(serving));
  const proven = await provenBy(request, nodeId, identity, signing);
  const joining: Joining = { presented, peer, nodeId, names, proven, digest };
  admit(joining, facts, signing);
  const pair = {
    serving: await issuing.serving(serving, gateBounds(names, grantOf(presented, facts).bounds)),
    identity: await issuing.identity(identity, nodeId),
  };
  await attempt.begins();
  const answered = await ledger.enter((draft) => decide(joining, pair, draft, signing));
  return { issued: issuedTo(signing, ...answered) };
}

/** A member is known by its name. */
export function memberNames(names: Names): Names {
  if (names.commonName === "")
    throw new SigningRequestError("servingCsr", "its subject has no common name");
  return names;
}

/** @throws {AdmissionRefusedError} when the token may not be used, even for what it was good for */
function answeredBefore(
  digest: string,
  nodeId: string,
  presented: Presented,
  standing: Draft | Signing["facts"],
  now: Instant,
): Answered | undefined {
  const found = repeated(digest, nodeId, standing, now);
  const objection = found && objectionToToken(presented, standing, now);
  if (objection !== undefined) throw new AdmissionRefusedError(objection);
  return found;
}

/** @throws {AdmissionRefusedError} when there is an identity, or a signature, that proves nothing */
async function provenBy(
  request: JoinRequest,
  nodeId: string,
  identity: Csr,
  { facts, clock }: Signing,
): Promise<Proven> {
  const certificate = formerOf(request);
  if (request.signing === undefined) return {};
  if (certificate === undefined) {
    // Of a node that is not on record there is nothing to prove.
    if (request.formerSignature.length === 0 || facts.member(nodeId) === undefined) return {};
    const data = proofOf(request.signing, nodeId);
    const flaw = await flawInKeyProof(identity, data, request.formerSignature);
    if (flaw !== undefined) throw new AdmissionRefusedError(flaw);
    return { key: keyOf(identity) };
  }
  const proof = {
    certificate,
    data: proofOf(request.signing, nodeId),
    signature: request.formerSignature,
  };
  const flaw = await flawIn(proof, nodeId, facts.acceptedAuthorities(), clock.now());
  if (flaw !== undefined) throw new AdmissionRefusedError(flaw);
  return { former: certificate };
}

/** @throws {AdmissionRefusedError} */
function admit(
  { presented, peer, nodeId, names, proven }: Joining,
  standing: Standing,
  { clock, isStrict }: Signing,
): void {
  const own = standing.member(nodeId)?.spec.addresses ?? [];
  const objection = firstObjection(
    () => objectionToToken(presented, standing, clock.now()),
    () => objectionToUse(presented, standing),
    () => objectionToNode(nodeId, proven, standing),
    () => outsideBounds(names, grantOf(presented, standing).bounds),
    () => nameOfAnother(names, { own: nodeId, now: clock.now() }, standing),
    () => (isStrict ? foreignAddress(names, peer, own, standing) : undefined),
  );
  if (objection !== undefined) throw new AdmissionRefusedError(objection);
}

/** What is decided counts only here, on what the store holds by then. */
function decide(joining: Joining, pair: Pair, draft: Draft, signing: Signing): Answered {
  const { presented, peer, nodeId, names, digest } = joining;
  const { former } = joining.proven;
  const now = signing.clock.now();
  // The same request may have been under way twice.
  const before = answeredBefore(digest, nodeId, presented, draft, now);
  if (before !== undefined) return before;
  admit(joining, draft, signing);
  signing.issuing.recheck(pair.serving, pair.identity);
  const token = presented.name;
  const { machineType, bounds } = grantOf(presented, draft);
  const recorded = draft.member(nodeId)?.spec;
  const joined = recorded?.joined ?? rfc3339(now);
  const occasion = { nodeId, token, peer };
  // A member that is let in again by the token that it has spent is none more: it has proven to be it.
  if (recorded?.token !== token) spend(draft, token);
  putIssued(draft, "nodeServer", pair.serving, occasion);
  putIssued(draft, "nodeIdentity", pair.identity, occasion);
  putMember(
    draft,
    nodeId,
    { machineType, token, bounds, joined },
    { names, pair, now, proven: former === undefined ? [] : fingerprintsOf(former) },
  );
  putAnswer(draft, digest, pair, { nodeId, now });
  return [machineType, { servingCrt: pair.serving.pem, identityCrt: pair.identity.pem }];
}
