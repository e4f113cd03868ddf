/**
 * `npm run test:interop`: lets Go examine what trustplane writes and serves.
 *
 *   node --conditions=trustplane-src test/interop/run.ts [--fixtures] [--keep]
 *
 * `--fixtures` makes nothing with trustplane and examines only what talosctl made; `--keep` leaves the
 * artifacts behind and says where.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { command } from "./command.ts";
import { goTest } from "./go-test.ts";
import { emptyManifest, writeManifest } from "./manifest.ts";
import { Session } from "./session.ts";

const GO_NEEDED = [1, 26] as const;

const { values: flags } = parseArgs({
  options: {
    fixtures: { type: "boolean", default: false },
    keep: { type: "boolean", default: false },
  },
});

const interrupted = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) {
  process.once(name, () => {
    interrupted.abort(new Error(name));
  });
}

const missing = await missingGo(interrupted.signal);
if (missing === undefined) process.exitCode = await inDirectory(interrupted.signal);
else console.log(`skipped: ${missing} (needs Go ${GO_NEEDED.join(".")})`);

async function inDirectory(signal: AbortSignal): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), "trustplane-interop-"));
  try {
    return await examine(directory, signal);
  } finally {
    if (flags.keep) console.log(`kept: ${directory}`);
    else await rm(directory, { recursive: true, force: true });
  }
}

async function examine(directory: string, signal: AbortSignal): Promise<number> {
  const manifest = emptyManifest(flags.fixtures);
  await using session = new Session(directory, manifest, signal);
  await session.fixtures();
  const served = flags.fixtures ? undefined : await session.ours();
  await writeManifest(directory, manifest);

  const environment = {
    TRUSTPLANE_ARTIFACTS: directory,
    TRUSTPLANE_ENDPOINT: served?.endpoint ?? "",
    TRUSTPLANE_TALOSCONFIG: served?.talosconfig ?? "",
  };
  const { status, tally } = await goTest(environment, signal);
  await session.stop();

  const counts = {
    passed: tally.passed,
    failed: tally.failed + session.failed,
    skipped: tally.skipped,
  };
  console.log(
    Object.entries(counts)
      .map(([how, count]) => `${String(count)} ${how}`)
      .join(", "),
  );
  return status === 0 && session.failed > 0 ? 1 : status;
}

/** Why Go cannot be used, if it cannot. */
async function missingGo(signal: AbortSignal): Promise<string | undefined> {
  let version: string;
  try {
    version = await command("go", ["version"], { signal });
  } catch {
    return "Go is not installed";
  }
  const [, major = "0", minor = "0"] = /go(\d+)\.(\d+)/.exec(version) ?? [];
  const [wantedMajor, wantedMinor] = GO_NEEDED;
  const old =
    Number(major) < wantedMajor || (Number(major) === wantedMajor && Number(minor) < wantedMinor);
  return old ? `Go ${major}.${minor} is too old` : undefined;
}
