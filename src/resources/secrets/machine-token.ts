import { defineResource } from "#runtime";
import { z } from "zod";

/** Which `machine.token` trustd takes: the one in force, and for a while those before it. Id: `trustd`. */
export const MachineToken = defineResource({
  type: "MachineTokens.secrets.trustplane.dev",
  namespace: "secrets",
  sensitivity: "sensitive",
  spec: z.object({
    /** SHA-256 over the token, lower hex; empty: none is taken. */
    hash: z.string(),
    /** Those before it, newest first. */
    former: z.array(
      z.object({
        hash: z.string(),
        /** RFC 3339: until then it is taken. */
        until: z.string(),
      }),
    ),
  }),
});
