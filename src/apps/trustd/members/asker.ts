/** Which member it is that asks with a node certificate. */
import { commonName, fingerprintsOf, organizations, type Certificate } from "#pki";
import { MemberRecord } from "#resources";
import type { Resource, SpecOf } from "#runtime";
import type { Store } from "#runtime/store";
import { NODE } from "../../apid/roles.ts";
import type { MemberAsker } from "../signer.ts";
import { NotAMemberError } from "./errors.ts";

/** A member as it is on record; its id is that of its node. */
export type RecordedMember = Resource<SpecOf<typeof MemberRecord>>;

/**
 * The member whose certificate it is: by the common name, and only while the certificate is among those
 * that it has on record, however its signature is written.
 *
 * @throws {NotAMemberError} saying what the node can do
 */
export async function memberOf(
  store: Store,
  { certificate }: Pick<MemberAsker, "certificate">,
): Promise<RecordedMember> {
  const nodeId = commonName(certificate.subject) ?? "";
  const member = nodeId === "" ? undefined : await store.get(MemberRecord, nodeId);
  return memberNamed(certificate, () => member);
}

/**
 * The same, where what is on record is at hand.
 *
 * @throws {NotAMemberError} saying what the node can do
 */
export function memberNamed(
  certificate: Certificate,
  find: (nodeId: string) => RecordedMember | undefined,
): RecordedMember {
  if (!organizations(certificate.subject).includes(NODE))
    throw new NotAMemberError("the certificate is not one of a node that joined");
  const nodeId = commonName(certificate.subject) ?? "";
  const member = find(nodeId);
  if (member === undefined) throw gone(nodeId);
  const { identities } = member.spec;
  if (fingerprintsOf(certificate).some((each) => identities.includes(each))) return member;
  throw new NotAMemberError(
    `the certificate of node ${nodeId} is none that its member has on record: the node has another one ` +
      "since, or another node joined in its place",
  );
}

/** That of a node that was a member. */
export const gone = (nodeId: string) =>
  new NotAMemberError(
    `node ${JSON.stringify(nodeId)} is no member of this cluster: it left, or was removed, and can join ` +
      "again only by a token, as a new one",
  );
