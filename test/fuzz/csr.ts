/**
 * Spoilt certificate requests, through all that signs for nodes: no crash, no leak, and no certificate
 * that the policy forbids. The same seed has the same requests, round by round.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { CodedError } from "#runtime";
import { writePem } from "#pki";
import { chanceOf, type Chance } from "./chance.ts";
import { openClusters, type Cluster } from "./cluster.ts";
import { originals, seededKeysOf, type Original } from "./corpus.ts";
import { mutations } from "./mutations.ts";
import { objectionsTo } from "./referee.ts";

/** What was tried by one way of spoiling, and what became of it. */
interface Tally {
  tried: number;
  issued: number;
  refused: number;
}

export interface Outcome {
  readonly rounds: number;
  readonly tallies: ReadonlyMap<string, Tally>;
  /** How often each code was the answer. */
  readonly codes: ReadonlyMap<string, number>;
  /** How many certificates were judged. */
  readonly judged: number;
  /** By how much the heap grew after a tenth of the rounds, bytes. */
  readonly grown: number;
}

const PROGRESS_EVERY = 10_000;
/** More than this on the heap is a leak, whatever the number of rounds. */
const GROWN_MAX = 24e6;

const shares = Object.entries(mutations).map(([name, { share }]) => ({ name, share }));
const shareOfAll = shares.reduce((sum, { share }) => sum + share, 0);

/**
 * Runs `count` rounds.
 *
 * @param o.only runs this round alone
 * @throws {Error} naming seed and round, when a round ends otherwise than by a certificate or a refusal
 */
export async function fuzzCsrs(o: {
  readonly seed: number;
  readonly count: number;
  readonly only?: number;
  readonly progress?: (text: string) => void;
}): Promise<Outcome> {
  const { seed, count, progress = () => {} } = o;
  const keys = seededKeysOf(seed);
  const all = await originals(keys);
  const clusters = await openClusters(keys);
  const tallies = new Map(shares.map(({ name }) => [name, { tried: 0, issued: 0, refused: 0 }]));
  const codes = new Map<string, number>();
  let judged = 0;
  let heap = 0;
  const [first, rounds] = o.only === undefined ? [0, count] : [o.only, 1];
  for (let round = first; round < first + rounds; round++) {
    if (round % PROGRESS_EVERY === 0) progress(`${round} of ${count}`);
    if (round === Math.floor(count / 10)) heap = heapBytes();
    const tried = await playRound(`seed ${seed}, round ${round}`, {
      chance: chanceOf(seed, round),
      all,
      clusters,
    });
    const tally = tallies.get(tried.mutation)!;
    tally.tried++;
    judged += tried.judged;
    if (tried.code === "") tally.issued++;
    else tally.refused++;
    codes.set(tried.code, (codes.get(tried.code) ?? 0) + 1);
  }
  const grown = heap === 0 ? 0 : heapBytes() - heap;
  for (const cluster of clusters.values()) await cluster[Symbol.asyncDispose]();
  if (grown > GROWN_MAX)
    throw new Error(`seed ${seed}: the heap grew by ${(grown / 1e6).toFixed(1)} MB`);
  return { rounds, tallies, codes, judged, grown };
}

setFlagsFromString("--expose-gc"); // also where the process was started without it
const collectGarbage = runInNewContext("gc") as () => void;

/** What lives, inside V8's heap and outside of it. */
function heapBytes(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function playRound(
  place: string,
  o: {
    readonly chance: Chance;
    readonly all: readonly Original[];
    readonly clusters: ReadonlyMap<string, Cluster>;
  },
) {
  const { chance, all } = o;
  const mutation = drawn(chance);
  try {
    const original = chance.of(all);
    const csr = await mutations[mutation]!.by(original, chance, all);
    const cluster = clusterFor(original, o.clusters, chance);
    const answer = await answerTo(cluster, csr, chance);
    if (typeof answer === "string") return { mutation, code: answer, judged: 0 };
    const { authority } = cluster;
    for (const issued of answer) {
      const objections = objectionsTo({ ...issued, authority, now: cluster.now() });
      if (objections.length > 0)
        throw new Error(`a certificate ${objections.join(", ")}\n${issued.pem}`);
    }
    return { mutation, code: "", judged: answer.length };
  } catch (cause) {
    throw new Error(`${place}, ${mutation}: ${(cause as Error).message}`, { cause });
  }
}

async function answerTo(cluster: Cluster, csr: Uint8Array, chance: Chance) {
  try {
    return await cluster.ask(csr, pemFor(csr, chance), chance);
  } catch (error) {
    if (error instanceof CodedError) return error.code;
    throw error;
  }
}

function drawn(chance: Chance): string {
  let left = chance.below(1e6) * (shareOfAll / 1e6);
  for (const { name, share } of shares) if ((left -= share) < 0) return name;
  return shares[0]!.name;
}

/** Mostly that of the same type of keys, or nothing would ever be issued. */
function clusterFor({ key }: Original, clusters: ReadonlyMap<string, Cluster>, chance: Chance) {
  const all = [...clusters.values()];
  return chance.happens(0.03) ? chance.of(all) : clusters.get(key.algorithm.slice(0, 2))!;
}

const labels = ["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST", "CERTIFICATE", "X", ""];

/** Once in a while the text is spoilt, too. */
function pemFor(csr: Uint8Array, chance: Chance): string {
  if (chance.happens(0.95)) return writePem(labels[0]!, csr);
  const pem = writePem(chance.of(labels), csr);
  const at = chance.below(pem.length);
  return chance.of([
    pem.slice(0, at),
    pem.slice(at),
    `${pem.slice(0, at)}\n-----BEGIN ${pem.slice(at)}`,
    `${pem.slice(0, at)}${String.fromCharCode(chance.below(0x300))}${pem.slice(at)}`,
    pem + pem,
    `A: b\r\n${pem.replaceAll("\n", "\r\n")}`,
    pem.repeat(100),
    " ".repeat(chance.below(100_000)),
    "",
  ]);
}
