/** A process that writes to a store, and says what was acknowledged, until it is killed. */
import { openSqliteStore } from "#runtime/store";
import { commitOf, Count } from "./sets.ts";

const [path = "", writers = "1"] = process.argv.slice(2);
const store = await openSqliteStore({ path, kinds: [Count], eventLog: 100_000 });
const write = async (writer: string) => {
  const made = (await store.get(Count, writer))?.spec.value ?? 0;
  for (let number = made + 1; ; number++) {
    const text = "x".repeat((number * 977) % 5000);
    await store.core.commit(commitOf(writer, number, text));
    process.stdout.write(`${writer} ${String(number)}\n`); // a pipe: written before this returns
  }
};
await Promise.all(Array.from({ length: Number(writers) }, (_, i) => write(`w${String(i)}`)));
