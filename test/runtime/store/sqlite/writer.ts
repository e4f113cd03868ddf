/** A process that writes, and says what was acknowledged, until it is killed. */
import { openSqliteStore } from "#runtime/store";
import { Path, spec } from "../../../../src/runtime/conformance/store/suite.ts";

const store = await openSqliteStore({ path: process.argv[2] ?? "" });
const write = async (writer: number) => {
  for (let i = 0; ; i++) {
    await store.create(Path, `${writer}/${i}`, spec(i));
    process.stdout.write(`${writer}/${i}\n`);
  }
};
await Promise.all([0, 1, 2, 3].map(write));
