/** The client certificates that this node turns away: resources, which its listener follows. */
import { DeniedCertificate } from "#resources";
import { type Clock, type Logger, NotFoundError, rfc3339 } from "#runtime";
import type { Store } from "#runtime/store";
import { type Apid, type Denials, DenialUnknownError } from "../apid/index.ts";

/** Where they are held against clients. */
type Gate = Pick<Apid, "deny" | "connectionsUnder">;

/** Denials that are in force as soon as there is a listener, and until they are closed. */
export interface OpenDenials extends Denials {
  /** From the first connection on: nothing is awaited between the opening of the listener and this. */
  enforceAt(gate: Gate): void;
  close(): void;
}

interface DenialsOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Follows them; resolves when those that are stored are known. */
export async function openDenials({ store, clock, log }: DenialsOptions): Promise<OpenDenials> {
  let gate: Gate | undefined;
  const fingerprints = new Set<string>();
  const waiting = new Set<() => void>();
  const tell = () => {
    gate?.deny(new Set(fingerprints));
    for (const look of waiting) look();
  };
  for (const { metadata } of await store.list(DeniedCertificate)) fingerprints.add(metadata.id);
  const following = store.watchKind(DeniedCertificate, { bootstrapContents: true }).subscribe({
    next(event) {
      if (event.type === "destroyed") fingerprints.delete(event.resource.metadata.id);
      else if (event.type === "created" || event.type === "updated")
        fingerprints.add(event.resource.metadata.id);
      else return;
      tell();
    },
    error: (error: unknown) =>
      log.error({ err: error }, "denied certificates are followed no longer: restart this node"),
  });
  /** The listener hears of a write a moment later than the store. */
  const until = (holds: () => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!holds()) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  return {
    enforceAt(listener) {
      gate = listener;
      tell();
    },
    async deny(fingerprint, reason) {
      const since = rfc3339(clock.now());
      const connections = gate?.connectionsUnder(fingerprint) ?? 0;
      await store.modify(DeniedCertificate, fingerprint, (spec) => void (spec.reason = reason), {
        initial: { reason, since },
      });
      await until(() => fingerprints.has(fingerprint));
      return connections;
    },
    async undeny(fingerprint) {
      await store.destroy(pointerOf(fingerprint)).catch((error: unknown) => {
        throw error instanceof NotFoundError ? new DenialUnknownError(fingerprint) : error;
      });
      await until(() => !fingerprints.has(fingerprint));
    },
    async list() {
      const denied = await store.list(DeniedCertificate);
      return denied.map(({ metadata, spec }) => ({ fingerprint: metadata.id, ...spec }));
    },
    close: () => following.unsubscribe(),
  };
}

const pointerOf = (id: string) => {
  const { namespace, type } = DeniedCertificate;
  return { namespace, type, id };
};
