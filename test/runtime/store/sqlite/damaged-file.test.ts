/** Files with damage in them: found when they are opened, and never made worse. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSqliteStore, restoreSqliteStore } from "#runtime/store";
import { Path, spec } from "../../../../src/runtime/conformance/store/suite.ts";
import { freshPath } from "./fresh-path.ts";
import { refusal } from "./tampering.ts";

const PAGE_BYTES = 4096;
const HEADER_BYTES = 100;

let directory = "";
let whole: Buffer;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "trustplane-damaged-"));
  const path = join(directory, "store.db");
  const store = await openSqliteStore({ path });
  for (let i = 0; i < 300; i++) await store.create(Path, `id-${i}`, spec(i, ["x".repeat(300)]));
  await store.close();
  whole = readFileSync(path);
});
afterAll(() => rm(directory, { recursive: true }));

let files = 0;
/** A copy of the file in which a part is other than it was. */
function withDamage(from: number, bytes: number, value = 0xa5): string {
  const path = join(directory, `copy-${files++}.db`);
  writeFileSync(path, Buffer.from(whole).fill(value, from, from + bytes), { mode: 0o600 });
  return path;
}

describe.each([
  ["its header", 0, HEADER_BYTES],
  ["the first bytes of its header", 0, 8],
  ["the root of its tables", HEADER_BYTES, PAGE_BYTES - HEADER_BYTES],
  ["the head of a page in the middle", "middle", 12],
  ["a page in the middle", "middle", PAGE_BYTES],
  ["its last page", "last", PAGE_BYTES],
] as const)("a file with damage in %s", (_, place, bytes) => {
  const from = () => {
    const pages = whole.length / PAGE_BYTES;
    if (typeof place === "number") return place;
    return PAGE_BYTES * (place === "last" ? pages - 1 : Math.floor(pages / 2));
  };

  test.each([0xa5, 0])("is refused, says what to do, and stays as it is (%i)", async (value) => {
    const path = withDamage(from(), bytes, value);
    const before = readFileSync(path);
    expect(await refusal(path)).toMatchObject({
      code: "ERR_STORE_DAMAGED",
      message: expect.stringMatching(
        /^the store \/.*copy-\d+\.db is damaged.*: move it away, and restore a backup to its place/,
      ) as string,
    });
    expect(readFileSync(path).subarray(HEADER_BYTES)).toEqual(before.subarray(HEADER_BYTES));
  });

  test("is not restored from", async () => {
    const to = freshPath();
    const path = withDamage(from(), bytes);
    await expect(restoreSqliteStore({ from: path, to })).rejects.toMatchObject({
      code: "ERR_STORE_DAMAGED",
    });
    expect(existsSync(to)).toBe(false);
  });
});
