/**
 * Publishes one directory of certificates and keys where servers read them. A directory is one
 * versioned set: it is left as it is while one of its leaves is not yet reissued under a new
 * authority, and a set that cannot be written is reported and tried again.
 */
import { FileSet } from "#resources";
import { defineRunner, shared, type SpecOf } from "#runtime";
import {
  type Directory,
  fileSetId,
  type Files,
  inputsOf,
  type PublicKeyOf,
  wantedIn,
} from "../file-layout.ts";

/** Makes a directory below the PKI directory hold these files and no others of ours. */
export type PublishFiles = (
  directory: string,
  files: Files,
) => Promise<{ readonly path: string; readonly version: string }>;

interface Options {
  readonly directory: Directory;
  readonly publishFiles: PublishFiles;
  readonly publicKeyOf: PublicKeyOf;
}

export const pkiFilesController = ({ directory, publishFiles, publicKeyOf }: Options) =>
  defineRunner({
    name: `files.PKIFilesController[${directory}]`,
    inputs: inputsOf(directory),
    outputs: { set: shared(FileSet) },

    async run({ changes, publish, log, signal }) {
      const id = fileSetId(directory);
      let published: Published = { directory, files: [], version: "" };
      for await (const held of changes) {
        if (!held) continue;
        try {
          const { files, missing, outdated } = await wantedIn(directory, held, publicKeyOf);
          if (outdated.length === 0) {
            const { path, version } = await publishFiles(directory, files);
            published = { directory: path, files: Object.keys(files), version };
          }
          const waitingFor = [...missing, ...outdated].join(", ");
          const ready = waitingFor === "" && published.files.length > 0;
          await publish({ set: { [id]: { ...published, ready, waitingFor, error: "" } } });
        } catch (error) {
          if (signal.aborted) return; // the engine stops
          const message = error instanceof Error ? error.message : String(error);
          log.warn({ directory, error: message }, "cannot publish files");
          const failed = { ...published, ready: false, waitingFor: "", error: message };
          await publish({ set: { [id]: failed } });
          throw error; // backed off and tried again
        }
      }
    },
  });

type Published = Pick<SpecOf<typeof FileSet>, "directory" | "files" | "version">;
