/** The package as it is after an installation: what is built, without the sources. */
import { cp, mkdir, symlink } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { root } from "./checkout.ts";
import { runToEnd } from "./child.ts";

/**
 * Builds the package into `directory`, beside the dependencies of the checkout.
 *
 * @returns its launcher
 */
export async function installPackage(directory: string, signal: AbortSignal): Promise<string> {
  const home = join(directory, "node_modules", "trustplane");
  await mkdir(home, { recursive: true });
  const args = [
    join(root, "node_modules", "typescript", "bin", "tsc"),
    ...["-p", join(root, "tsconfig.build.json"), "--outDir", join(home, "dist")],
  ];
  await runToEnd({ file: process.execPath, args }, signal);
  for (const part of ["bin", "package.json"])
    await cp(join(root, part), join(home, part), { recursive: true });
  await symlink(join(root, "node_modules"), join(home, "node_modules"));
  return join(home, "bin", "trustplane");
}

/** An environment in which `node` is the one of the checkout. */
export const nodeOnPath = (): NodeJS.ProcessEnv => ({
  PATH: [join(root, "node_modules", ".bin"), process.env.PATH].join(delimiter),
});
