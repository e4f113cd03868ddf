/** `config new`: a new client certificate, from a node (talos-pki.md §3.6). */
import { readDuration, readTalosconfig, writeTalosconfig } from "#config/talosconfig";
import { ArgumentError } from "../../errors.ts";
import { exists, STREAM, writeOutputs } from "../../files.ts";
import type { Connection } from "../../flags.ts";
import type { Io } from "../../io.ts";
import { withNodes } from "../../nodes.ts";
import { rolesOf } from "../../roles.ts";
import { chosenContext } from "../../talosconfig.ts";

/** The flags of `config new`. */
export interface NewOptions {
  readonly roles?: readonly string[];
  /** As Go writes durations. */
  readonly crtTtl?: string;
}

/** Writes a talosconfig with a new identity, which goes to the same endpoints and nodes. */
export async function newTalosconfig(
  io: Io,
  path: string,
  options: NewOptions,
  flags: Connection,
): Promise<number> {
  const roles = rolesOf(options.roles);
  if (path !== STREAM && (await exists(io, path)))
    throw new ArgumentError(`talosconfig file already exists: ${JSON.stringify(path)}`);
  return withNodes(io, flags, async ({ client, names, any, endpoints, usual }) => {
    const [node, ...others] = names;
    if (node === undefined || others.length > 0)
      throw new ArgumentError("config new asks one node: name it with --nodes");
    const lifetime = readDuration(options.crtTtl ?? "8760h") ?? 0;
    const request = { roles, lifetime };
    const answer = await any(() => client.issueClientConfiguration(request, { node }));
    const config = readTalosconfig(answer.talosconfig, `the answer of ${node}`);
    const { name, context } = chosenContext({ path: `the answer of ${node}`, config }, {});
    const content = writeTalosconfig({
      ...config,
      contexts: {
        ...config.contexts,
        [name]: { ...context, endpoints, ...(usual.length > 0 && { nodes: usual }) },
      },
    });
    await writeOutputs(io, [{ path, content }], false);
    if (usual.length === 0) io.stderr.write("It names no node: say which one with --nodes (-n).\n");
    return 0;
  });
}
