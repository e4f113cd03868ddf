/** docs/join.md, typed as it stands: three terminals and a fourth. */
import { once } from "node:events";
import { readFile, symlink } from "node:fs/promises";
import { createServer } from "node:net";
import { join as path } from "node:path";
import { type LongCase, SkipError } from "./case.ts";
import { follow, stepsIn } from "./document.ts";
import { root } from "./node.ts";

export const join: LongCase = {
  name: "join",
  async run({ scratch }) {
    if (process.platform !== "linux") throw new SkipError("only Linux has all of 127.0.0.0/8");
    for (const name of ["bin", "test"]) await symlink(path(root, name), path(scratch, name));
    const steps = stepsIn(await readFile(path(root, "docs/join.md"), "utf8"));
    for (const { command } of steps) await skipWhereTaken(command);
    await follow(steps, scratch);
    const shown = steps.reduce((sum, step) => sum + step.shown.length, 0);
    return `${String(steps.length)} commands of docs/join.md, ${String(shown)} lines that they show`;
  },
};

/** The document has the usual ports, which somebody else on this machine may have. */
async function skipWhereTaken(command: string): Promise<void> {
  const [, address] = /--api-address (\S+)/.exec(command) ?? [];
  if (address === undefined) return;
  for (const port of [50_000, 50_001]) {
    const server = createServer().listen(port, address);
    await once(server, "listening").catch(() => {
      throw new SkipError(`${address}:${String(port)} is in use, which docs/join.md needs`);
    });
    await once(server.close(), "close");
  }
}
