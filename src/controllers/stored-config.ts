/**
 * The stored configuration, as controllers read it. It was checked when it was new, and may still be
 * one that this version cannot read: after a downgrade, or when it was damaged. Then everybody keeps
 * what is held, and `securitystatus` alone says what is wrong.
 */
import { loadMachineConfig, type MachineConfig as Config } from "#config";
import type { MachineConfig } from "#resources";
import { CodedError, type DeepReadonly, type SpecOf } from "#runtime";
import { readable, remembered } from "./readable.ts";

const SOURCE = "the stored configuration";

/** What the configuration says; undefined when this version cannot read it. */
export const readStored = ({ spec }: { readonly spec: Spec }): Config | undefined => read(spec);

type Spec = DeepReadonly<SpecOf<typeof MachineConfig>>;

const read = remembered(({ yaml }: Spec) => readable(() => loadMachineConfig(yaml, SOURCE)));

/** Why this version cannot read a configuration; null when it can. */
export const whyUnreadable = remembered(({ yaml }: Spec): string | null => {
  try {
    loadMachineConfig(yaml, SOURCE);
    return null;
  } catch (error) {
    if (error instanceof CodedError) return error.message;
    throw error;
  }
});
