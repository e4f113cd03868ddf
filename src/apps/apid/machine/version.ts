/** `MachineService/Version` (talosctl-wire.md §2.1, §2.2). */
import { Version, type MachineServiceServer } from "../../rpc/gen/machine/machine.ts";
import type { Router } from "../router.ts";

/** The level of Talos' API that clients compare with their own; below it they warn. */
export const TALOS_API_LEVEL = "v1.14.0";

/** What was built, from what, and when. */
export interface Build {
  readonly sha: string;
  /** RFC 3339, or empty. */
  readonly built: string;
}

/** Go's names for processors, which clients print beside their own. */
const architectures: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386" };

/** Clients fail on a message without a tag. */
export const versionMethods = (
  router: Router,
  { sha, built }: Build,
): Pick<MachineServiceServer, "version"> => ({
  version: router.unary(Version, () => ({
    version: {
      tag: TALOS_API_LEVEL,
      sha,
      built,
      goVersion: `node ${process.version}`,
      os: process.platform,
      arch: architectures[process.arch] ?? process.arch,
    },
    platform: { name: "trustplane", mode: "container" },
    features: { rbac: true },
  })),
});
