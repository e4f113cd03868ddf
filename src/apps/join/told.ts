/** Takes up what a member is told: the control planes, itself, and whom to turn away. */
import { type Certificate, readCertificates } from "#pki";
import { DeniedCertificate, MemberRecord } from "#resources";
import {
  type AnyResourceType,
  type Clock,
  CodedError,
  type Logger,
  NotFoundError,
  pointerTo,
  rfc3339,
} from "#runtime";
import type { Store } from "#runtime/store";
import type { KnownMember, WatchNodeResponse } from "../rpc/gen/node/node.ts";

/** Label of denials that are the cluster's: they go when it takes them back. */
export const OF_CLUSTER_LABEL = "trustplane.dev/of-cluster";

export interface ToldOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Makes what is stored the same as what was told. */
export async function takeUp(
  told: WatchNodeResponse,
  trusted: readonly Certificate[],
  options: ToldOptions,
): Promise<void> {
  await takeUpMembers(told.members, options);
  await takeUpDenials(told.denied, options);
  tellOfAuthorities(told.ca.toString(), trusted, options);
}

async function takeUpMembers(members: readonly KnownMember[], { store }: ToldOptions) {
  const known = new Map(members.map((member) => [member.nodeId || member.hostname, member]));
  for (const { metadata } of await store.list(MemberRecord))
    if (!known.has(metadata.id)) await destroy(store, MemberRecord, metadata.id);
  for (const [id, { hostname, addresses, machineType, apiPort }] of known) {
    const record = {
      ...{ hostname, addresses: [...addresses], apiPort },
      machineType: machineType === "controlplane" ? ("controlplane" as const) : ("worker" as const),
      ...{ joined: "", token: "", bounds: null, identities: [], notAfter: "" },
      ...{ dnsNames: [], identityKeys: [] },
    };
    await store.modify(MemberRecord, id, () => structuredClone(record), { initial: record });
  }
}

async function takeUpDenials(
  denied: WatchNodeResponse["denied"],
  { store, clock }: ToldOptions,
): Promise<void> {
  const wanted = new Map(denied.map(({ fingerprint, reason }) => [fingerprint, reason]));
  const held = await store.list(DeniedCertificate);
  for (const { metadata } of held)
    if (OF_CLUSTER_LABEL in metadata.labels && !wanted.has(metadata.id))
      await destroy(store, DeniedCertificate, metadata.id);
  const before = new Set(held.map(({ metadata }) => metadata.id));
  for (const [fingerprint, reason] of wanted) {
    if (before.has(fingerprint)) continue;
    const spec = { reason, since: rfc3339(clock.now()) };
    await store.create(DeniedCertificate, fingerprint, spec, {
      labels: { [OF_CLUSTER_LABEL]: "" },
    });
  }
}

async function destroy(store: Store, kind: AnyResourceType, id: string): Promise<void> {
  await store.destroy(pointerTo(kind, id)).catch((error: unknown) => {
    if (!(error instanceof NotFoundError)) throw error;
  });
}

/** They are taken up with the next certificate; until then they are only told of. */
function tellOfAuthorities(
  ca: string,
  trusted: readonly Certificate[],
  { log }: ToldOptions,
): void {
  try {
    const known = new Set(trusted.map(({ fingerprint }) => fingerprint));
    const others = readCertificates(ca).filter(({ fingerprint }) => !known.has(fingerprint));
    if (others.length === 0) return;
    const fingerprints = others.map(({ fingerprint }) => fingerprint);
    log.info({ fingerprints }, "control planes accept authorities that are not known here yet");
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    log.warn({ reason: error.message }, "the authorities of the cluster cannot be read");
  }
}
