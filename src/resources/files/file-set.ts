import { defineResource } from "#runtime";
import { z } from "zod";

/** A directory of certificates and keys as it was last published. Id: its path below the PKI directory. */
export const FileSet = defineResource({
  type: "FileSets.files.trustplane.dev",
  namespace: "files",
  printColumns: [
    { name: "Directory", jsonPath: "{.directory}" },
    { name: "Ready", jsonPath: "{.ready}" },
    { name: "Waiting For", jsonPath: "{.waitingFor}" },
  ],
  spec: z.object({
    directory: z.string(),
    /** Whether every leaf that belongs here is in the set, under the authorities beside it. */
    ready: z.boolean(),
    /** Leaves that are missing, or not reissued yet under a new authority; empty when ready. */
    waitingFor: z.string(),
    /** Names of the files of the set. */
    files: z.array(z.string()),
    /** SHA-256 over names and contents; changes whenever a file does. */
    version: z.string(),
    /** Why the last change could not be published; empty when it was. */
    error: z.string(),
  }),
});
