import { defineResource } from "#runtime";
import { z } from "zod";
import { message, text } from "../encoding.ts";

/**
 * The machine configuration, verbatim. `v1alpha1` is the one in force, `seed` the one that the state
 * directory was started with, `staged` one that waits for the next start, and `rollback` what is to be
 * in force again when the one in force is only tried.
 */
export const MachineConfig = defineResource({
  type: "MachineConfigs.config.talos.dev",
  namespace: "config",
  sensitivity: "sensitive",
  spec: z.object({ yaml: z.string() }),
  encoding: {
    proto: message({ yaml: text(1) }),
    yaml: ({ yaml }) => yaml, // a string scalar: talosctl edit and patch ask for it
    annotations: { "talos.dev/yaml-spec": "" },
  },
});

/** Id of the configuration in force. */
export const ACTIVE = "v1alpha1";
/** Id of the configuration that seeded the state directory. */
export const SEED = "seed";
/** Id of a configuration that is taken up at the next start. */
export const STAGED = "staged";
/** Id of the configuration that comes back unless the one in force is confirmed. */
export const ROLLBACK = "rollback";
