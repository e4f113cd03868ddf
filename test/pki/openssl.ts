/** OpenSSL as a referee: each call gets its files in a folder of its own. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Runs `openssl` among `files`, and gives what it prints.
 *
 * @throws {Error} with its standard error when it fails
 */
export function openssl(
  args: readonly string[],
  files: Readonly<Record<string, string | Uint8Array>> = {},
): string {
  const cwd = mkdtempSync(join(tmpdir(), "trustplane-openssl-"));
  try {
    for (const [name, content] of Object.entries(files))
      writeFileSync(join(cwd, name), content, { mode: 0o600 });
    return execFileSync("openssl", args, {
      cwd,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
  } finally {
    rmSync(cwd, { recursive: true });
  }
}
