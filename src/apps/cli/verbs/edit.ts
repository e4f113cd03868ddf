/** `edit machineconfig`: the configuration in force in an editor (talosctl-wire.md §2.4). */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Client } from "../../client/index.ts";
import { fileAccess } from "../errors.ts";
import type { Connection } from "../flags.ts";
import type { Io } from "../io.ts";
import {
  type Applied,
  type ApplyFlags,
  applyTo,
  ConfigurationNotTakenError,
  fetchConfiguration,
  tellApplied,
} from "../machine-configuration.ts";
import { withNodes } from "../nodes.ts";

/** Edits the configuration of each node, one after the other: there is one terminal. */
export const edit = (io: Io, flags: ApplyFlags, connection: Connection): Promise<number> =>
  withNodes(io, connection, async ({ client, names, each, status }) => {
    let before: Promise<unknown> = Promise.resolve();
    await each((node) => {
      const done = before.then(async () => {
        const answer = await editOf(io, flags, client, node);
        if (answer === undefined) io.stderr.write("Edit cancelled: no changes made.\n");
        else tellApplied(io, [{ node, answer }], { several: names.length > 1, name: NAME });
      });
      before = done.catch(() => undefined);
      return done;
    });
    return status();
  });

const NAME = "the edited configuration";

/**
 * Edits until the node takes what was written.
 *
 * @returns undefined when nothing was changed, or nothing was changed after a refusal
 */
async function editOf(
  io: Io,
  flags: ApplyFlags,
  client: Client,
  node: string,
): Promise<Applied | undefined> {
  const before = await fetchConfiguration(client, node);
  let last = before;
  let problem = "";
  for (;;) {
    const written = await edited(io, headerOf(node, problem) + last);
    const data = withoutHeader(written);
    // After a refusal the same text would be refused again.
    if (data.trim() === "" || data === last) {
      if (problem !== "") throw new ConfigurationNotTakenError(problem);
      return undefined;
    }
    try {
      return await applyTo(client, node, { data, name: NAME, flags });
    } catch (error) {
      if (!(error instanceof ConfigurationNotTakenError)) throw error;
      [last, problem] = [data, error.message];
    }
  }
}

function headerOf(node: string, problem: string): string {
  const lines = [
    `Editing MachineConfigs.config.talos.dev/v1alpha1 at node ${node}.`,
    "Lines that begin with '# ' at the top are left out; an empty or unchanged text changes nothing.",
    ...(problem === "" ? [] : ["", "It was not taken:", ...problem.split("\n")]),
  ];
  return lines.map((line) => `# ${line}\n`).join("");
}

const withoutHeader = (text: string): string => text.replace(/^(?:# [^\n]*\n)+/, "");

/** Lets a person edit a text, in a file that nobody else may read and that is gone afterwards. */
async function edited(io: Io, text: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "trustplane-edit-")); // mode 0700
  const path = join(directory, "machineconfig.yaml");
  try {
    await writeFile(path, text, { mode: 0o600 });
    await io.edit(path);
    return await readFile(path, "utf8").catch((cause: unknown) => {
      throw fileAccess("read", path, cause);
    });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
