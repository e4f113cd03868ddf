/** Rows of the API of a node, over mutual TLS. */
import { group } from "./group.ts";
import type { Size } from "./size.ts";

const node = (size: Size): Size => ({ store: "api", items: 2000, ...size });

const calls = { count: 50_000, inFlight: 64, warmup: 15_000 };
const fewCalls = { count: 10_000, warmup: 5000 };
const watches = { count: 0, watchers: 500, warmup: 20 };

/** The limits are per core of a server. */
export const apiOfNode = group("API of a node, over mutual TLS", [
  {
    name: "State/Get, 64 in flight",
    unit: "calls/s",
    workload: "api-get",
    size: node(calls),
    quick: fewCalls,
    limit: 5000,
    isCompared: true,
  },
  {
    name: "MachineService/Version, 64 in flight",
    unit: "calls/s",
    workload: "api-version",
    size: node(calls),
    quick: fewCalls,
    limit: 5000,
    isCompared: true,
  },
  {
    name: "watch events delivered, contents",
    unit: "events/s",
    workload: "api-watch-contents",
    size: node({ count: 30, items: 10_000, warmup: 10 }),
    quick: { count: 10, warmup: 5 },
    limit: 40_000,
    isCompared: true,
  },
  {
    name: "watch events delivered, live to 10 watchers",
    unit: "events/s",
    workload: "api-watch-live",
    size: node({ count: 20_000, watchers: 10, warmup: 5000 }),
    quick: { count: 5000, warmup: 2000 },
    limit: 40_000,
    isCompared: true,
  },
  {
    name: "500 open watches, on one connection",
    unit: "MB",
    workload: "api-watch-memory",
    size: node(watches),
    quick: {},
    limit: 100,
    isCompared: true,
  },
  {
    name: "500 open watches, each on a connection of its own",
    unit: "MB",
    workload: "api-watch-memory",
    size: node({ ...watches, isApart: true }),
    quick: {},
    limit: 100,
    isCompared: true,
  },
  {
    name: "trustplane get certificatestatus, beyond version --client",
    unit: "ms",
    workload: "api-command",
    size: node({ count: 15, warmup: 2 }),
    quick: { count: 5 },
    limit: 150,
    program: "installed",
  },
]);
