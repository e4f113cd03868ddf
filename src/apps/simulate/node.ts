/** A node as it is simulated: the daemon's own controllers and start, on a simulated machine. */
import { createHash } from "node:crypto";
import { type PublishFiles } from "#controllers";
import type { KeyProvider } from "#pki";
import { ACTIVE, Identity, MachineConfig } from "#resources";
import type { Instant } from "#runtime";
import type { Scenario, Machine, Operator } from "#runtime/simulation";
import type { Surroundings } from "../node/acceptance.ts";
import { applyConfiguration } from "../node/apply-configuration.ts";
import { settleConfiguration } from "../node/configuration.ts";
import { demoConfig } from "../node/demo.ts";
import { nodeControllers } from "../node/controllers.ts";
import { FileWriteError } from "../node/published-files.ts";
import { known, prepareStore } from "../node/state-directory.ts";
import { seededKeys } from "./seeded-keys.ts";

/** Where each node is reached; loopback addresses, which do not change. */
const addressOf = (name: string): string =>
  `127.0.0.${String(Number(/\d+$/.exec(name)?.[0] ?? 1))}`;

/** What of a scenario makes its nodes those of this project. */
type Parts = Pick<Scenario, "controllers" | "kinds" | "setup" | "boot">;

/** @param rootsIssued when the roots of the cluster were issued; all nodes have the same ones */
export const nodesOf = (rootsIssued: Instant): Parts => ({
  kinds: known,
  controllers: (machine) =>
    nodeControllers({
      keys: keysOf(machine),
      random: machine.random,
      clock: machine.clock,
      apiAddress: addressOf(machine.name),
      hostname: machine.name,
      askTime: async () => keeperSays(machine),
      publishFiles: publisher(machine),
    }),
  async setup(operator) {
    const { name, store, stream, shared } = operator;
    if (!(await store.get(Identity, "local"))) {
      const nodeId = Buffer.from(stream("identity").bytes(22)).toString("hex");
      await store.create(Identity, "local", { nodeId });
    }
    if (await store.get(MachineConfig, ACTIVE)) return; // it was there before the node went down
    const random = shared("cluster");
    const text = await demoConfig({
      demoAddress: addressOf(name),
      keys: keysOf({ ...operator, random }),
      random,
      clock: { now: () => rootsIssued },
    });
    await applyConfiguration(text, { ...surroundings(operator), dryRun: false });
  },
  async boot(operator) {
    await prepareStore(operator.store);
    const demoAddress = addressOf(operator.name);
    const options = { ...surroundings(operator), overwrite: false, demoAddress };
    await settleConfiguration([], options);
  },
});

/** Asked until the clock is right; then there is nobody to ask again, which would be once an hour. */
export const keeperSays = ({ isClockRight }: Machine) =>
  isClockRight() ? { synced: true, source: "none" } : { synced: false, source: "chrony" };

/** What the code of a node needs to work on its store. */
export const surroundings = (operator: Operator): Surroundings => ({
  store: operator.store,
  clock: operator.clock,
  random: operator.random,
  keys: keysOf(operator),
});

/** Keys of the node's own chance; each signature is in the trace, with what was signed. */
export const keysOf = ({ random, note }: Pick<Machine, "random" | "note">): KeyProvider =>
  seededKeys({
    random,
    onSigned(data) {
      const what = isAuthority(data) ? "authority signed" : "leaf signed";
      note(what, `${createHash("sha256").update(data).digest("hex")} ${serialIn(data)}`);
    },
  });

/** What is noted of signatures: a digest of what was signed, and the serial number in it. */
export const SIGNED: readonly string[] = ["authority signed", "leaf signed"];

/** A TBSCertificate begins with its version, 3, and its serial number (RFC 5280 §4.1); no other thing does. */
function serialIn(data: Uint8Array): string {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const header = 2 + ((bytes[1] ?? 0) < 0x80 ? 0 : (bytes[1] ?? 0) & 0x7f);
  const begin = header + VERSION_3.length;
  if (!bytes.subarray(header, begin).equals(VERSION_3)) return "";
  return bytes.subarray(begin + 1, begin + 1 + (bytes[begin] ?? 0)).toString("hex");
}

/** And the tag of the integer that follows. */
const VERSION_3 = Buffer.from("a00302010202", "hex");

/** Basic constraints, which no leaf of ours has. */
const BASIC_CONSTRAINTS = Buffer.from("0603551d13", "hex");
const isAuthority = (data: Uint8Array): boolean => Buffer.from(data).includes(BASIC_CONSTRAINTS);

/** Below this stand the published directories, each as one JSON text. */
export const PUBLISHED = "pki/";

/** Publishes directories as files of the simulated disk. */
export function publisher({ files }: Machine): PublishFiles {
  const versions = new Map<string, { readonly text: string; readonly version: string }>();
  return async (directory, set) => {
    const path = `${PUBLISHED}${directory}`;
    const text = JSON.stringify(set);
    const before = versions.get(path);
    try {
      if (files.get(path) !== text) files.set(path, text);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new FileWriteError(`cannot publish ${path}: ${reason}`, { cause });
    }
    if (before?.text === text) return { path, version: before.version };
    const version = createHash("sha256").update(text).digest("hex").slice(0, 16);
    versions.set(path, { text, version });
    return { path, version };
  };
}
