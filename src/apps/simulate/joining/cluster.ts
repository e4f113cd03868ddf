/** A simulated cluster that nodes join: who is in it, where they are, and what they are told to begin with. */
import { generateMachineConfigs, issueBundle, issueToken, type SecretsBundle } from "#config";
import type { Instant } from "#runtime";
import type { Machine } from "#runtime/simulation";
import { parseAllDocuments } from "yaml";
import { keysOf } from "../node.ts";
import { sha256 } from "./record.ts";

export const CONTROL_PLANE = "cp-1";
/** Whoever asks for what is not for them. */
export const STRANGER = "x-1";

/** Names of so many workers. */
export const workers = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, n) => `w-${String(n + 1)}`);

export const isWorker = (name: string): boolean => name.startsWith("w-");

/** Loopback addresses, of which each is one node's own. */
export const addressOf = (name: string): string => {
  const number = Number(/\d+$/.exec(name)?.[0] ?? 1);
  return `127.0.0.${String(isWorker(name) ? 10 + number : name === STRANGER ? 9 : 2)}`;
};

/** Whose name or address it is; undefined for one that is no node's own. */
export const ownerOf = (names: readonly string[], host: string): string | undefined =>
  names.find((name) => name === host || addressOf(name) === host);

type Shared = Pick<Machine, "shared">;

/** One of the tokens of this cluster; which is good for what is the operator's business. */
export const joinToken = ({ shared }: Shared, name: string): string =>
  issueToken(shared(`join token ${name}`));

/** The first one is that of the configuration; the others replace it, one after the other. */
export const machineToken = ({ shared }: Shared, number: number): string =>
  issueToken(shared(`machine token ${String(number)}`));

/** The id that a node of that name has. */
export const idOf = ({ shared }: Shared, name: string): string =>
  Buffer.from(shared(`identity of ${name}`).bytes(22)).toString("hex");

/**
 * The secrets of a cluster, which all nodes have; made once for each seed, as that takes its time.
 *
 * @param issued when the roots of the cluster were issued
 */
export function secretsOf({ shared }: Shared, issued: Instant): Promise<SecretsBundle> {
  const seed = sha256(shared("cluster").bytes(16));
  let made = known.get(seed);
  if (made === undefined) {
    const random = shared("secrets of the cluster");
    const keys = keysOf({ random, note: () => undefined });
    made = issueBundle({ talosVersion: VERSION, keys, random, now: issued });
    if (known.size >= KNOWN_MAX) known.clear();
    known.set(seed, made);
  }
  return made;
}

const known = new Map<string, Promise<SecretsBundle>>();
const KNOWN_MAX = 16;

const VERSION = "v1.13";

/** The configuration of a node, with a token of its own. */
export function configOf(name: string, bundle: SecretsBundle, token: string): string {
  const texts = generateMachineConfigs({
    clusterName: "demo",
    endpoint: `https://${addressOf(CONTROL_PLANE)}:6443`,
    bundle,
    talosVersion: VERSION,
  });
  return withToken(isWorker(name) ? texts.worker : texts.controlplane, token);
}

/** The same configuration with another token. */
export function withToken(yaml: string, token: string): string {
  const documents = parseAllDocuments(yaml);
  documents[0]?.setIn(["machine", "token"], token);
  return documents.map(String).join("---\n");
}
