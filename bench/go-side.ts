/** Builds Go's side, or tells why there is none. */
import { join } from "node:path";
import { goModule } from "./checkout.ts";
import { runToEnd } from "./child.ts";

const GO_NEEDED = [1, 26] as const;

/** Either a program, or why there is none. */
export type GoSide =
  { readonly program: string; readonly version: string } | { readonly missing: string };

const env = { GOTOOLCHAIN: "local" };

export async function buildGoSide(directory: string, signal: AbortSignal): Promise<GoSide> {
  let version: string;
  try {
    version = await runToEnd({ file: "go", args: ["env", "GOVERSION"], env }, signal);
  } catch {
    return { missing: "Go is not installed" };
  }
  const tooOld = olderThanNeeded(version);
  if (tooOld !== undefined) return { missing: tooOld };
  const program = join(directory, "bench-go");
  try {
    const args = ["build", "-C", goModule, "-o", program, "."];
    await runToEnd({ file: "go", args, env }, signal);
  } catch (error) {
    signal.throwIfAborted();
    return { missing: `Go's side does not build: ${(error as Error).message}` };
  }
  return { program, version: version.trim() };
}

/** Why a version of Go will not do, if it will not. */
export function olderThanNeeded(version: string): string | undefined {
  const [, major = "0", minor = "0"] = /^go(\d+)\.(\d+)/.exec(version) ?? [];
  const [wantedMajor, wantedMinor] = GO_NEEDED;
  const isOld =
    Number(major) < wantedMajor || (Number(major) === wantedMajor && Number(minor) < wantedMinor);
  return isOld ? `${version.trim()} is too old, ${GO_NEEDED.join(".")} is needed` : undefined;
}
