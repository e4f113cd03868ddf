/** docs/join.md, typed as it stands: three terminals and a fourth. */
import { readFile, symlink } from "node:fs/promises";
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
    await follow(steps, scratch);
    const shown = steps.reduce((sum, step) => sum + step.shown.length, 0);
    return `${String(steps.length)} commands of docs/join.md, ${String(shown)} lines that they show`;
  },
};
