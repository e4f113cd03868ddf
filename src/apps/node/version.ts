/** The version of this package, from its own package.json. */
import { readFileSync } from "node:fs";

const manifest = JSON.parse(
  readFileSync(new URL("../../../package.json", import.meta.url), "utf8"),
) as { version: string };

export const { version } = manifest;

/** What nodes and clients say of their build. */
export const build = { sha: `trustplane-${version}`, built: "" };

/** What this node calls its program, as members are listed. */
export const operatingSystem = `Trustplane (v${version})`;
