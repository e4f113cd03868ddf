/** Which stores are not for everybody who can connect. */
import { kinds } from "#resources";
import { pointerTo, type Resource } from "#runtime";
import { isOpaqueSpec } from "#runtime/rpc";
import type { CoreStore, Kind } from "#runtime/store";
import { SensitiveStoreError } from "./errors.ts";

const DEFINITIONS: Kind = { namespace: "meta", type: "ResourceDefinitions.meta.cosi.dev" };

/**
 * Refuses a store of a node, and one that holds a kind that is marked as sensitive.
 *
 * @param place names the store in the message
 * @throws {SensitiveStoreError}
 */
export async function checkWithoutSecrets(core: CoreStore, place: string): Promise<void> {
  for (const definition of await core.list(DEFINITIONS)) {
    if (isSensitive(definition)) throw refused(place, `has the kind ${definition.metadata.id}`);
  }
  for (const kind of kinds.filter(({ sensitivity }) => sensitivity === "sensitive")) {
    const { namespace, type } = pointerTo(kind, "");
    const [found] = await core.list({ namespace, type });
    if (found !== undefined) throw refused(place, `holds ${type}`);
  }
}

/** The definition may be one of ours, or have come over the wire. */
function isSensitive({ spec }: Resource): boolean {
  if (isOpaqueSpec(spec)) return /^sensitivity: *["']?sensitive\b/m.test(spec.yaml);
  return typeof spec === "object" && spec !== null && "sensitivity" in spec
    ? spec.sensitivity === "sensitive"
    : false;
}

const refused = (place: string, what: string) =>
  new SensitiveStoreError(
    `${place} ${what}, which is sensitive: it belongs to a node, and is served by that node only`,
  );
