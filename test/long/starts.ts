/** Test files of `npm test` that it has no time for: nodes that are started as processes. */
import { execute, root } from "./node.ts";
import type { LongCase } from "./case.ts";

const files = ["test/apps/node/start.test.ts", "test/apps/apid/forwarding-failures.test.ts"];

export const starts: LongCase = {
  name: "starts",
  async run() {
    const env = { ...process.env, TRUSTPLANE_TEST_STARTS: "1" };
    const { stdout } = await execute("npx", ["vitest", "run", ...files], { cwd: root, env });
    const [, passed] = /Tests .*?(\d+) passed/.exec(stdout) ?? [];
    if (passed === undefined) throw new Error(`no test was run: ${stdout}`);
    return `${passed} tests of ${files.length} files`;
  },
};
