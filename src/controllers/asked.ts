/** What certificates of a node that joins by token wait for. */
import { writeDuration } from "#pki";
import type { Endpoint } from "#resources";
import { after, at, type Instant, type Resource, seconds, type SpecOf } from "#runtime";
import type { Holdings, Item } from "./inventory.ts";

type Endpoints = readonly Resource<SpecOf<typeof Endpoint>>[];

/** A signer whose clock differs by more is told of. */
const SKEW_MAX = seconds(10);

/** Whether it is one of those that a node asks others for. */
export const isAskedFor = ({ controller }: Pick<Item, "controller">): boolean =>
  controller === "secrets.NodeCertificateController";

/** How far the clock of who signed it is ahead of this one, ms; null where that is not known. */
export const skewOf = (item: Item, { node }: Holdings): number | null =>
  isAskedFor(item) ? (node?.spec.peerSkew ?? null) : null;

/** A sentence about clocks that differ; empty when they do not. */
export function skewWords(skew: number | null): string {
  if (skew === null || Math.abs(skew) <= SKEW_MAX) return "";
  const distance = writeDuration(Math.abs(skew));
  return `the clock of who signed it is ${distance} ${skew > 0 ? "ahead of" : "behind"} this one`;
}

/** A request that is on its way. */
export interface Asked {
  readonly since: Instant;
  /** A sentence. */
  readonly words: string;
}

/** What is asked for at this moment; null when nothing is. */
export function askedFor(item: Item, { node }: Holdings, endpoints: Endpoints): Asked | null {
  const pending = node?.spec.pending;
  if (!pending || !isAskedFor(item)) return null;
  const hosts = [...new Set(endpoints.flatMap(({ spec }) => [...spec.addresses, ...spec.hosts]))];
  const whom = hosts.length === 0 ? "a control plane to be known" : `trustd at ${hosts.join(", ")}`;
  return { since: at(pending.since), words: `waits for ${whom} since ${pending.since}` };
}

/** A request is answered at once: one that is not answered by then has something in its way. */
export const whenLate = ({ since }: Asked): Instant => after(since, seconds(1));
