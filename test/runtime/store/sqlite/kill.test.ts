import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { openSqliteStore } from "#runtime/store";
import { Path } from "../../../../src/runtime/conformance/store/suite.ts";
import { freshPath } from "./fresh-path.ts";

/** Starts a writer. Its conditions are not those of the test's own process. */
const startWriter = (file: string) =>
  spawn(
    process.execPath,
    ["--conditions=trustplane-src", new URL("writer.ts", import.meta.url).pathname, file],
    { stdio: ["ignore", "pipe", "inherit"] },
  );

test("a process that is killed leaves every write behind that it was told is done", async () => {
  const file = freshPath();
  const acknowledged = new Set<string>();
  for (let round = 0; round < 2; round++) {
    const path = `${file}.${round}`;
    const child = startWriter(path);
    const lines = createInterface(child.stdout);
    acknowledged.clear();
    lines.on("line", (line) => {
      acknowledged.add(line);
      if (acknowledged.size === 100 * (round + 1)) child.kill("SIGKILL");
    });
    await Promise.all([once(child, "exit"), once(lines, "close")]);
    expect(child.signalCode).toBe("SIGKILL");
    await using store = await openSqliteStore({ path });
    const stored = new Set((await store.list(Path)).map(({ metadata }) => metadata.id));
    expect([...acknowledged].filter((id) => !stored.has(id))).toEqual([]);
    expect(acknowledged.size).toBeGreaterThanOrEqual(100);
    expect(store.damagedRows()).toEqual([]);
  }
});

test("a store that another process has open is refused, and free once that one is killed", async () => {
  const path = freshPath();
  const child = startWriter(path);
  await once(createInterface(child.stdout), "line");
  await expect(openSqliteStore({ path })).rejects.toMatchObject({ code: "ERR_STORE_IN_USE" });
  child.kill("SIGKILL");
  await once(child, "exit");
  await using store = await openSqliteStore({ path });
  expect(await store.list(Path)).not.toEqual([]);
});
