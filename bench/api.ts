/** What both servers of an API are given, and what they say: files in the directory of a measurement. */
import {
  authorityPem,
  authorityProfiles,
  issueAuthority,
  leafIssuer,
  leafProfiles,
  webCryptoKeys,
} from "#pki";
import { systemClock, systemRandom } from "#runtime";
import { readFile, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { apiServerMain } from "./checkout.ts";
import { runToEnd, type Program } from "./child.ts";
import type { Place } from "./size.ts";

/** Where a server says, as JSON, where it is; it is renamed to this when it is written. */
export const PLACE_FILE = "place.json";

/** Our server. */
export const apiServer: Program = {
  file: process.execPath,
  args: [
    ...["--conditions=trustplane-src", "--disable-warning=ExperimentalWarning"],
    apiServerMain,
  ],
};

/** Issues an authority, an identity for the server, and one for an administrator. */
export async function prepareApi(directory: string): Promise<void> {
  const means = { keys: webCryptoKeys(), random: systemRandom };
  const now = systemClock.now();
  const authority = await authorityPem(
    await issueAuthority(authorityProfiles.os, { ...means, now }),
  );
  const issue = leafIssuer(means);
  const server = await issue({
    ...{ profile: leafProfiles.apidServer, authority, now },
    ...{ commonName: "node-1", dnsNames: ["localhost"], ipAddresses: ["127.0.0.1"] },
  });
  const client = await issue({
    ...{ profile: leafProfiles.talosClient, authority, now },
    organizations: ["os:admin"],
  });
  const files = {
    "ca.crt": authority.crt,
    ...{ "server.crt": server.crt, "server.key": server.key },
    ...{ "client.crt": client.crt, "client.key": client.key },
  };
  for (const [name, text] of Object.entries(files))
    await writeFile(join(directory, name), text, { mode: 0o600 });
}

/** Where the server of a measurement is; undefined as long as it does not serve. */
export async function readPlace(
  directory: string,
): Promise<Pick<Place, "address" | "pid"> | undefined> {
  try {
    return JSON.parse(await readFile(join(directory, PLACE_FILE), "utf8")) as Place;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

const CORES = { server: 0, client: 1 } as const;

/** On a core of its own, where the system can do that; one thread of Go's at a time everywhere. */
export async function pinned(program: Program, role: keyof typeof CORES): Promise<Program> {
  const env = { ...program.env, GOMAXPROCS: "1" };
  if (!(await canPin())) return { ...program, env };
  const args = ["-c", String(CORES[role]), program.file, ...program.args];
  return { file: "taskset", args, env };
}

let pinning: Promise<boolean> | undefined;

/** Whether programs can be held to a core here. */
export const canPin = (): Promise<boolean> => (pinning ??= tryPinning());

async function tryPinning(): Promise<boolean> {
  if (availableParallelism() < 2) return false;
  const signal = AbortSignal.timeout(10_000);
  try {
    for (const core of Object.values(CORES))
      await runToEnd({ file: "taskset", args: ["-c", String(core), "true"] }, signal);
    return true;
  } catch {
    return false;
  }
}
