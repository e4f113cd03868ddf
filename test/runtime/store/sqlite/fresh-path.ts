/** SQLite stores in directories of their own, for tests. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** The path of a store file that does not exist yet, in a directory that goes with the test. */
export function freshPath(): string {
  const folder = mkdtempSync(join(tmpdir(), "trustplane-store-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "state", "store.db");
}
