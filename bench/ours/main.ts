/**
 * Runs one workload of our side and prints what it measured as a line of JSON.
 *
 *   node --expose-gc --conditions=trustplane-src bench/ours/main.ts WORKLOAD '{"count":1000}'
 */
import type { Task, Workload } from "../size.ts";
import { apiCommand } from "./api-command.ts";
import { apiGet, apiVersion, apiWatchContents, apiWatchLive, apiWatchMemory } from "./api-load.ts";
import {
  certificateForKey,
  certificateFromCsr,
  certificateThroughGate,
  issueAndStore,
} from "./certificates.ts";
import { coldStart } from "./cold-start.ts";
import { burst, burstAtStart, singleUpdate } from "./controllers.ts";
import { memory } from "./memory.ts";
import { create, get, list, onStore, update } from "./operations.ts";
import {
  trustdCertificate,
  trustdFloodMedian,
  trustdFloodP95,
  trustdHandshakes,
  trustdHerd,
  trustdJoin,
} from "./trustd/loads.ts";
import { destroyWatched, watchContents, watchLive } from "./watches.ts";

const workloads: Readonly<Record<string, Workload>> = {
  create: onStore(create),
  get: onStore(get),
  update: onStore(update),
  list: onStore(list),
  "destroy-watched": onStore(destroyWatched),
  "watch-contents": onStore(watchContents),
  "watch-live": onStore(watchLive),
  burst,
  "burst-at-start": burstAtStart,
  "single-update": singleUpdate,
  leaf: certificateForKey,
  "leaf-through-gate": certificateThroughGate,
  "leaf-from-csr": certificateFromCsr,
  "issue-and-store": issueAndStore,
  memory,
  "cold-start": coldStart,
  "api-get": apiGet,
  "api-version": apiVersion,
  "api-watch-contents": apiWatchContents,
  "api-watch-live": apiWatchLive,
  "api-watch-memory": apiWatchMemory,
  "api-command": apiCommand,
  "trustd-join": trustdJoin,
  "trustd-certificate": trustdCertificate,
  "trustd-herd": trustdHerd,
  "trustd-flood-median": trustdFloodMedian,
  "trustd-flood-p95": trustdFloodP95,
  "trustd-handshakes": trustdHandshakes,
};

const [name = "", task = ""] = process.argv.slice(2);
const workload = workloads[name];
if (workload === undefined) throw new TypeError(`no workload is called ${JSON.stringify(name)}`);
const value = await workload(JSON.parse(task) as Task);
console.log(JSON.stringify({ value }));
