import { defineResource } from "#runtime";
import { z } from "zod";

/** A file wanted below /etc, as Talos names it. Id: its path. */
export const EtcFileSpec = defineResource({
  type: "EtcFileSpecs.files.talos.dev",
  namespace: "files",
  spec: z.object({ contents: z.string(), mode: z.string() }),
});
