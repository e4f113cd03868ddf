/** Rows of trustd: a whole node on one core, SQLite on disk, policy and audit on. */
import { group } from "./group.ts";
import type { Size } from "./size.ts";

const node = (size: Size): Size => ({ store: "trustd", ...size });

const flood = { count: 500, warmup: 200 };

/** The limits are per core of a server. */
export const trustd = group("trustd of a node, P-256", [
  {
    name: "joins, 64 in flight",
    unit: "joins/s",
    workload: "trustd-join",
    size: node({ count: 4000, inFlight: 64, warmup: 1000 }),
    quick: { count: 1000, warmup: 500 },
    limit: 500,
  },
  {
    name: "certificates for workers of Talos, 64 in flight",
    unit: "certificates/s",
    workload: "trustd-certificate",
    size: node({ count: 5000, inFlight: 64, warmup: 2000 }),
    quick: { count: 1000, warmup: 500 },
    limit: 500,
    isCompared: true,
  },
  {
    name: "1,000 nodes join within a second from one address, until the last one has",
    unit: "ms",
    workload: "trustd-herd",
    size: node({ count: 1000, warmup: 100 }),
    quick: {},
    limit: 10_000,
  },
  {
    name: "a join, slower while 2,000 calls a second are refused, median",
    unit: "times",
    workload: "trustd-flood-median",
    size: node(flood),
    quick: { count: 200 },
    limit: 2,
  },
  {
    name: "a join, slower while 2,000 calls a second are refused, 95th percentile",
    unit: "times",
    workload: "trustd-flood-p95",
    size: node(flood),
    quick: { count: 200 },
    limit: 2,
  },
  {
    name: "handshakes of a peer that was refused 20 times",
    unit: "handshakes/s",
    workload: "trustd-handshakes",
    size: node({ count: 6000, inFlight: 16 }),
    quick: { count: 3000 },
    limit: 200,
  },
]);
