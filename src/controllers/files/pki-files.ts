/**
 * Publishes certificates and keys where servers read them: kubeadm's layout, and Talos' own beside it.
 * Each directory is one versioned set; a set that cannot be published is reported and tried again.
 */
import { FileSet, PKIStatus, SecretsStatus } from "#resources";
import { defineRunner, exclusive, type SpecOf } from "#runtime";
import { fileSets } from "../file-layout.ts";
import { holdings } from "../inventory.ts";

/** Makes a directory below the PKI directory hold these files and no others of ours. */
export type PublishFiles = (
  directory: string,
  files: Readonly<Record<string, string>>,
) => Promise<{ readonly path: string; readonly version: string }>;

export const pkiFilesController = (options: {
  readonly publishFiles: PublishFiles;
  /** Public keys, PEM SPKI, of a private one. */
  readonly publicKeyOf: (pem: string) => Promise<string>;
}) =>
  defineRunner({
    name: "files.PKIFilesController",
    inputs: holdings,
    outputs: {
      sets: exclusive(FileSet),
      pods: exclusive(SecretsStatus),
      etcd: exclusive(PKIStatus),
    },

    async run({ changes, publish, log }) {
      for await (const inputs of changes) {
        if (!inputs) continue;
        const sets: Record<string, SpecOf<typeof FileSet>> = {};
        let failure: unknown;
        for (const [directory, files] of Object.entries(
          await fileSets(inputs, options.publicKeyOf),
        )) {
          const id = directory.replaceAll("/", "-");
          try {
            const { path, version } = await options.publishFiles(directory, files);
            const names = Object.keys(files);
            sets[id] = {
              directory: path,
              ready: names.length > 0,
              files: names,
              version,
              error: "",
            };
          } catch (error) {
            failure ??= error;
            const message = error instanceof Error ? error.message : String(error);
            log.warn({ directory, error: message }, "cannot publish files");
            sets[id] = { directory, ready: false, files: [], version: "", error: message };
          }
        }
        const status = (ids: string[]) => ({
          ready: ids.every((id) => sets[id]?.ready === true),
          version: ids.map((id) => sets[id]?.version.slice(0, 12) ?? "").join("-"),
        });
        await publish({
          sets,
          pods: { "static-pods": status(["kubernetes", "kubernetes-pki"]) },
          etcd: { etcd: status(["kubernetes-pki-etcd"]) },
        });
        if (failure !== undefined) throw failure as Error; // backed off and tried again
      }
    },
  });
