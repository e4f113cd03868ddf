/** What a commit wrote, as the trace tells it. */
import { hash } from "node:crypto";
import { formatPointer } from "../errors.ts";
import type { Resource } from "../resource.ts";
import type { Change } from "../store/change.ts";

/** Hexadecimal digits of a digest: enough to tell two traces apart. */
const DIGITS = 12;

/** What a text or message is in a trace. */
export const digestOf = (content: string | Uint8Array): string =>
  hash("sha256", content, "hex").slice(0, DIGITS);

/** Specs are frozen, and shared by the versions that differ in metadata alone. */
const specDigests = new WeakMap<object, string>();

function specDigestOf(spec: unknown): string {
  if (typeof spec !== "object" || spec === null) return digestOf(JSON.stringify([spec]));
  let digest = specDigests.get(spec);
  if (digest === undefined) specDigests.set(spec, (digest = digestOf(JSON.stringify(spec))));
  return digest;
}

function contentDigestOf({ metadata, spec }: Resource): string {
  const { labels, annotations, finalizers } = metadata;
  const beside = JSON.stringify([labels, annotations, finalizers]);
  return beside === "[{},{},[]]" ? specDigestOf(spec) : digestOf(specDigestOf(spec) + beside);
}

/** What a line of kind `write` says. */
export interface WriteFields {
  /** Resource, phase and version of each that was written. */
  readonly versions: readonly string[];
  /** Over spec, labels, annotations and finalizers of each of them. */
  readonly digests: readonly string[];
  /** What was there before; left out when nothing was removed. */
  readonly removes?: readonly string[];
}

/** Tells of the changes of a commit. */
export function writeFieldsOf(changes: readonly Change[]): WriteFields {
  const stored = changes.map(({ after }) => after).filter((resource) => resource !== undefined);
  const removes = changes
    .filter(({ after }) => after === undefined)
    .map(({ kind, id }) => formatPointer({ ...kind, id }));
  return {
    versions: stored.map(
      ({ metadata }) => `${formatPointer(metadata)} ${metadata.phase} ${metadata.version}`,
    ),
    digests: stored.map(contentDigestOf),
    ...(removes.length > 0 && { removes }),
  };
}
