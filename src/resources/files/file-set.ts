import { defineResource } from "#runtime";
import { z } from "zod";

/** A directory of certificates and keys as it was last published. Id: its path below the PKI directory. */
export const FileSet = defineResource({
  type: "FileSets.files.trustplane.dev",
  namespace: "files",
  printColumns: [
    { name: "Directory", jsonPath: "{.directory}" },
    { name: "Ready", jsonPath: "{.ready}" },
  ],
  spec: z.object({
    directory: z.string(),
    ready: z.boolean(),
    /** Names of the files of the set. */
    files: z.array(z.string()),
    /** SHA-256 over names and contents; changes whenever a file does. */
    version: z.string(),
    /** Why the last change could not be published; empty when it was. */
    error: z.string(),
  }),
});
