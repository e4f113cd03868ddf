/** `kubeconfig`: a kubeconfig from a node, merged into that of the user or written (talosctl-wire.md §2.8). */
import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { exists, readInput, refuseExisting, replaceFile, STREAM, writeOutputs } from "../files.ts";
import type { Connection } from "../flags.ts";
import type { Io } from "../io.ts";
import { mergeKubeconfig, withContextName } from "../kubeconfig.ts";
import { withNodes } from "../nodes.ts";

/** The flags of `kubeconfig`. */
export interface KubeconfigOptions {
  readonly force: boolean;
  readonly merge: boolean;
  readonly forceContextName?: string;
}

/** Writes or merges it; the file is readable by its owner only. */
export async function kubeconfig(
  io: Io,
  named: string | undefined,
  { force, merge, forceContextName }: KubeconfigOptions,
  flags: Connection,
): Promise<number> {
  const path = await placeOf(io, named, merge);
  const merging = merge && path !== STREAM && (await exists(io, path));
  if (!merging && path !== STREAM) await refuseExisting(io, [path], force);
  return withNodes(io, flags, async (nodes) => {
    const node = nodes.single("kubeconfig");
    const text = await nodes.any(() => nodes.client.kubeconfig({ node }));
    const fresh = forceContextName === undefined ? text : withContextName(text, forceContextName);
    if (!merging) {
      await writeOutputs(io, [{ path, content: fresh }], force);
      return nodes.status();
    }
    const { content, renamed } = mergeKubeconfig(await readInput(io, path), fresh, { path, force });
    await replaceFile(io, { path, content });
    for (const [what, before, after] of renamed)
      io.stderr.write(`renamed ${what} ${JSON.stringify(before)} -> ${JSON.stringify(after)}\n`);
    return nodes.status();
  });
}

/** Where it goes. */
async function placeOf(io: Io, named: string | undefined, merge: boolean): Promise<string> {
  if (named === STREAM) return STREAM;
  if (named === undefined) return merge ? ownKubeconfig(io) : "kubeconfig";
  const found = await stat(resolve(io.cwd, named)).catch(() => undefined);
  return found?.isDirectory() ? join(named, "kubeconfig") : named;
}

/** That of kubectl. */
function ownKubeconfig({ env, home }: Io): string {
  const [first = ""] = (env.KUBECONFIG ?? "").split(":");
  return first === "" ? join(home, ".kube/config") : first;
}
