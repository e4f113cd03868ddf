/** Which code was simulated: the commit of a checkout, else the version of the package. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { version } from "../../../node/version.ts";

const ROOT = fileURLToPath(new URL("../../../../../", import.meta.url));

/** For whoever wants to repeat a failure. */
export function codeVersion(): string {
  try {
    const options = { cwd: ROOT, encoding: "utf8", stdio: "pipe" } as const;
    const top = execFileSync("git", ["rev-parse", "--show-prefix", "--short", "HEAD"], options);
    const [prefix = "", commit = ""] = top.split("\n");
    return prefix === "" && commit !== "" ? `${version} (${commit})` : version;
  } catch {
    return version;
  }
}
