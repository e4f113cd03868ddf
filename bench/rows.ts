/** What is measured, how much of it, and what is asked of it. */
import { apiOfNode } from "./api-rows.ts";
import { group, type Entry } from "./group.ts";
import type { Group } from "./row.ts";
import type { Size } from "./size.ts";
import { trustd } from "./trustd-rows.ts";

const inMemory = (size: Size): Size => ({ store: "memory", warmup: 10_000, ...size });

const memoryStore = group(
  "memory store",
  [
    {
      name: "create",
      unit: "operations/s",
      workload: "create",
      size: inMemory({ count: 200_000 }),
      quick: { count: 50_000 },
      target: 1,
    },
    {
      name: "get",
      unit: "operations/s",
      workload: "get",
      size: inMemory({ count: 500_000, items: 10_000 }),
      quick: { count: 200_000 },
      target: 1,
    },
    {
      name: "update with conflict check",
      unit: "operations/s",
      workload: "update",
      size: inMemory({ count: 200_000, items: 10_000 }),
      quick: { count: 50_000 },
      target: 1,
    },
    {
      name: "list",
      unit: "items/s",
      workload: "list",
      size: inMemory({ count: 200, items: 10_000, warmup: 50 }),
      quick: { count: 50 },
      target: 1,
    },
    {
      name: "destroy with a watcher",
      unit: "operations/s",
      workload: "destroy-watched",
      size: inMemory({ count: 100_000 }),
      quick: { count: 30_000 },
      target: 1,
    },
  ],
  { target: 1.5 },
);

const onDisk = (size: Size): Size => ({ store: "sqlite", warmup: 200, ...size });

const sqliteSerial = group("SQLite, one writer", [
  {
    name: "create",
    unit: "operations/s",
    workload: "create",
    size: onDisk({ count: 3000 }),
    quick: { count: 500 },
    target: 1,
  },
  {
    name: "update",
    unit: "operations/s",
    workload: "update",
    size: onDisk({ count: 3000, items: 1000 }),
    quick: { count: 500 },
    target: 1.2,
  },
  {
    name: "destroy with a watcher",
    unit: "operations/s",
    workload: "destroy-watched",
    size: onDisk({ count: 3000 }),
    quick: { count: 500 },
    target: 1.2,
  },
]);

const sqliteInFlight = group("SQLite, 64 writers in flight", [
  {
    name: "create",
    unit: "operations/s",
    workload: "create",
    size: onDisk({ count: 10_000, inFlight: 64, warmup: 1000 }),
    quick: { count: 2000, warmup: 300 },
    target: 5,
  },
  {
    name: "update",
    unit: "operations/s",
    workload: "update",
    size: onDisk({ count: 10_000, items: 5000, inFlight: 64, warmup: 1000 }),
    quick: { count: 2000, items: 500, warmup: 300 },
    target: 5,
  },
]);

const sqliteReads = group("SQLite, reads", [
  {
    name: "get",
    unit: "operations/s",
    workload: "get",
    size: onDisk({ count: 50_000, items: 2000 }),
    quick: { count: 10_000, items: 500 },
    target: 1.5,
  },
  {
    name: "list",
    unit: "items/s",
    workload: "list",
    size: onDisk({ count: 50, items: 5000, warmup: 50 }),
    quick: { count: 10, items: 1000 },
    target: 1.5,
  },
]);

const remote = (size: Size): Size => ({ store: "remote", warmup: 3000, ...size });

/** The warm-up of a single caller is done by many, or it would take longer than what is measured. */
const unary = (name: string, workload: string, items?: number): Entry[] =>
  [1, 32].map((inFlight) => {
    const count = inFlight === 1 ? 8000 : 30_000;
    return {
      name: inFlight === 1 ? `${name}, serial` : `${name}, ${inFlight} in flight`,
      unit: "operations/s",
      workload,
      size: remote({ count, inFlight, ...(items !== undefined && { items }) }),
      quick: { count: count / 5, warmup: 1000 },
      target: 1,
    } as const;
  });

const served = group("Go's client, our server against Go's: calls", [
  ...unary("get", "get", 2000),
  ...unary("create", "create"),
  ...unary("update", "update", 2000),
]);

const streamed = group("Go's client, our server against Go's: streams", [
  {
    name: "list items",
    unit: "items/s",
    workload: "list",
    size: remote({ count: 20, items: 10_000, warmup: 5 }),
    quick: { count: 5, items: 5000 },
    target: 2,
  },
  {
    name: "watch events delivered, contents",
    unit: "events/s",
    workload: "watch-contents",
    size: remote({ count: 20, items: 10_000, warmup: 5 }),
    quick: { count: 5, items: 5000 },
    target: 2,
  },
  {
    name: "watch events delivered, live to 10 watchers",
    unit: "events/s",
    workload: "watch-live",
    size: remote({ count: 20_000, inFlight: 32, watchers: 10 }),
    quick: { count: 4000, warmup: 1000 },
    target: 2,
  },
]);

const bursts = group("controller burst, against qtransform", [
  {
    name: "10,000 notes are there at the start",
    unit: "items/s",
    workload: "burst-at-start",
    size: { count: 10_000, warmup: 2000 },
    quick: {},
    target: 1,
  },
  {
    name: "10,000 notes are created while it runs",
    unit: "items/s",
    workload: "burst",
    size: { count: 10_000, warmup: 2000 },
    quick: {},
    target: 1,
  },
  {
    name: "100,000 notes are there at the start",
    unit: "items/s",
    workload: "burst-at-start",
    size: { count: 100_000, warmup: 2000 },
    quick: {},
    target: 20,
    rounds: { go: 1 },
    tooSlowForQuick: "it takes Go some minutes",
  },
  {
    name: "100,000 notes are created while it runs",
    unit: "items/s",
    workload: "burst",
    size: { count: 100_000, warmup: 2000 },
    quick: {},
    target: 20,
    rounds: { go: 1 },
    tooSlowForQuick: "it takes Go up to a minute",
  },
]);

const SINGLE = "single update to output, against qtransform";
const [AT_FEW, AT_MANY] = ["at 1,000 items", "at 100,000 items"];

const singleUpdates = group(
  SINGLE,
  [
    {
      name: AT_FEW,
      unit: "updates/s",
      workload: "single-update",
      size: { count: 20_000, items: 1000, warmup: 10_000 },
      quick: { count: 5000, warmup: 3000 },
      target: 1,
    },
    {
      name: AT_MANY,
      unit: "updates/s",
      workload: "single-update",
      size: { count: 20_000, items: 100_000, warmup: 10_000 },
      quick: { count: 5000, warmup: 3000 },
      target: 1,
    },
  ],
  {
    slowdowns: [
      {
        group: SINGLE,
        name: "ours, slower at 100,000 items than at 1,000",
        unit: "times",
        from: AT_FEW,
        to: AT_MANY,
        limit: 1.5,
      },
    ],
  },
);

const certificates = group("certificates, one thread each", [
  {
    name: "issue a P-256 leaf, key given",
    unit: "certificates/s",
    workload: "leaf",
    size: { count: 10_000, warmup: 3000 },
    quick: { count: 2000, warmup: 1000 },
    target: 2.5,
  },
  {
    name: "issue a P-256 leaf, key given, and verify it",
    unit: "certificates/s",
    workload: "leaf-through-gate",
    size: { count: 10_000, warmup: 3000 },
    quick: { count: 2000, warmup: 1000 },
  },
  {
    name: "issue a P-256 leaf from a CSR, verified",
    unit: "certificates/s",
    workload: "leaf-from-csr",
    size: { count: 8000, warmup: 2000 },
    quick: { count: 1500, warmup: 1000 },
    target: 1.5,
  },
]);

const issuance = group("issuance", [
  {
    name: "issue and store durably, 64 in flight",
    unit: "certificates/s",
    workload: "issue-and-store",
    size: { count: 20_000, inFlight: 64, warmup: 5000 },
    quick: { count: 4000, warmup: 2000 },
    limit: 10_000,
  },
]);

const memory = group("memory", [
  {
    name: "per resource of 600 B in the memory store, 1,000,000 of them",
    unit: "bytes/resource",
    workload: "memory",
    size: { count: 1_000_000 },
    quick: {},
    target: 1,
    rounds: { ours: 2, go: 2 },
  },
]);

const coldStart = group("cold start of trustplane get --help", [
  {
    name: "installed package",
    unit: "ms",
    workload: "cold-start",
    size: { count: 10, warmup: 2 },
    quick: { count: 5 },
    limit: 150,
    program: "installed",
  },
  {
    name: "checkout",
    unit: "ms",
    workload: "cold-start",
    size: { count: 10, warmup: 2 },
    quick: { count: 5 },
    limit: 300,
    program: "checkout",
  },
]);

/** The table, from top to bottom. */
export const groups: readonly Group[] = [
  memoryStore,
  sqliteSerial,
  sqliteInFlight,
  sqliteReads,
  served,
  streamed,
  apiOfNode,
  trustd,
  bursts,
  singleUpdates,
  certificates,
  issuance,
  memory,
  coldStart,
];
