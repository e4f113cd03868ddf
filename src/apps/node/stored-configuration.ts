/** The configurations in the store, and the writes that replace them. */
import { differingFields, loadMachineConfig, type MachineConfig as Config } from "#config";
import { MachineConfig } from "#resources";
import {
  CodedError,
  instantOf,
  type Metadata,
  pointerTo,
  type Resource,
  type SpecOf,
} from "#runtime";
import type { Write } from "#runtime/store";

/** A stored configuration. */
export type StoredConfig = Resource<SpecOf<typeof MachineConfig>>;

/** What differs from a stored configuration, which may be one that cannot be read any more. */
export function differences(stored: string, config: Config): readonly string[] {
  try {
    return differingFields(loadMachineConfig(stored), config);
  } catch (error) {
    if (error instanceof CodedError) return ["all of it"];
    throw error;
  }
}

/**
 * Puts a text in the place of a stored configuration, or where there is none.
 *
 * @param annotations those of the stored one where absent
 */
export function writeOf(
  id: string,
  stored: StoredConfig | undefined,
  yaml: string,
  annotations: Readonly<Record<string, string>> = stored?.metadata.annotations ?? {},
): Write {
  const spec = { yaml };
  if (stored) {
    const metadata = { ...stored.metadata, annotations };
    return { op: "update", resource: { metadata, spec }, owner: metadata.owner };
  }
  const metadata: Metadata = {
    ...pointerTo(MachineConfig, id),
    version: 0,
    owner: "",
    phase: "running",
    created: instantOf(0), // the store knows better
    updated: instantOf(0),
    labels: {},
    annotations,
    finalizers: [],
  };
  return { op: "create", resource: { metadata, spec }, replacesDamaged: true };
}

/** Takes a stored configuration away, where there is one. */
export const removalOf = (stored: StoredConfig | undefined): readonly Write[] =>
  stored === undefined
    ? []
    : [
        {
          op: "destroy",
          pointer: pointerTo(MachineConfig, stored.metadata.id),
          owner: stored.metadata.owner,
          version: stored.metadata.version,
        },
      ];
