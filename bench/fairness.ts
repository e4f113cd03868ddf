/** What is the same on both sides, printed with every run. */
import { statfs } from "node:fs/promises";
import { cpus, loadavg, totalmem } from "node:os";
import { canPin } from "./api.ts";

const TMPFS_MAGIC = 0x01021994;
const GIB = 2 ** 30;

/** @param go the version of Go, or why it is absent */
export async function fairness(go: string, directory: string): Promise<string> {
  const processors = cpus();
  const memory = Math.round(totalmem() / GIB);
  const { type } = await statfs(directory);
  return [
    `Node.js ${process.version}; ${go}; ${processors.length} × ${processors[0]?.model.trim() ?? "?"}, ${memory} GiB, load ${loadavg()[0]?.toFixed(1) ?? "?"}`,
    "Each measurement is a process of its own; both sides of a row run one after the other, and take",
    "turns in going first. A value is the median of the rounds (least–greatest); a ratio is that of",
    "each round, and higher is better for ours.",
    "Specs: the same 600 bytes as a protobuf message on both sides; Go's codec for them is written by",
    "hand, without reflection.",
    "SQLite: WAL, synchronous=FULL and an event log on both sides, on the same disk.",
    ...(type === TMPFS_MAGIC
      ? [
          "  The databases are in memory here (tmpfs), so that a sync costs nothing: set TMPDIR to a disk.",
        ]
      : []),
    "gRPC: each server in its own process over a memory store, Go's client for both; neither server",
    "knows the kind, so both store and send the two forms of a spec as they came. Without Go our own",
    "client takes its place.",
    "API of a node: mutual TLS 1.3 over TCP with the same Ed25519 certificates, and for both servers Go's",
    "generator, on the stubs below COSI's client: it costs less than either server. Ours is the whole",
    "apid (roles, routing, audit) over typed resources; Go's is COSI's State server alone, over resources",
    `that are encoded already. ${
      (await canPin())
        ? "Server and generator have a core each (taskset); GOMAXPROCS=1."
        : "GOMAXPROCS=1; they are not held to cores, for there is no taskset or no second core."
    }`,
    "trustd: a whole node with SQLite, policy and audit; Go's side signs with siderolabs/crypto and keeps",
    "no record. Who asks is ours for both.",
    "Controllers: Go's history capacity is raised to 200,000, concurrency 2 on both sides; Go's rows of",
    "100,000 in a burst run once.",
    "Certificates: one at a time, GOMAXPROCS=1; both sides read what they signed. Go always verifies the",
    "signature too; ours does where a row says so, and in all that a node issues.",
  ].join("\n");
}
