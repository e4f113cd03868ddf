/**
 * Keeps the table of a load balancer: which hosts serve each service. Hosts come and go, services are
 * asked for, and one controller turns both into tables; nothing here is about certificates.
 *
 *   npx node --conditions=trustplane-src examples/load-balancer.ts
 */
import { z } from "zod";
import {
  all,
  ControllerStatus,
  defineController,
  defineResource,
  each,
  exclusive,
  pointerTo,
  strong,
  systemClock,
  systemRandom,
} from "trustplane/runtime";
import { createEngine } from "trustplane/runtime/engine";
import { openMemoryStore } from "trustplane/runtime/store";

const namespace = "example";
const Host = defineResource({
  type: "Hosts.example.dev",
  namespace,
  spec: z.object({ address: z.string(), healthy: z.boolean() }),
});
const Service = defineResource({
  type: "Services.example.dev",
  namespace,
  spec: z.object({ port: z.number(), replicas: z.number() }),
});
const Table = defineResource({
  type: "Tables.example.dev",
  namespace,
  spec: z.object({ backends: z.array(z.string()) }),
});

const tableController = defineController({
  name: "example.TableController",
  inputs: { service: strong(each(Service)), hosts: all(Host) },
  outputs: { tables: exclusive(Table) },
  reconcile({ inputs, item }) {
    const { port, replicas } = inputs.service.spec;
    const healthy = inputs.hosts.filter(({ spec }) => spec.healthy);
    if (healthy.length < replicas) throw new Error(`${item} needs ${replicas} healthy hosts`);
    const backends = healthy.slice(0, replicas).map(({ spec }) => `${spec.address}:${port}`);
    return { outputs: { tables: { [item]: { backends } } } };
  },
});

await using store = openMemoryStore();
const controllers = [tableController];
await using engine = createEngine({ store, clock: systemClock, random: systemRandom, controllers });
store.watchKind(Table).subscribe((event) => {
  if (event.type !== "created" && event.type !== "updated" && event.type !== "destroyed") return;
  const { metadata, spec } = event.resource;
  console.log(event.type, metadata.id, metadata.phase, spec.backends.join(" "));
});
await engine.start();

await store.create(Host, "a", { address: "192.0.2.1", healthy: true });
await store.create(Host, "b", { address: "192.0.2.2", healthy: true });
await store.create(Service, "web", { port: 80, replicas: 2 });
await engine.settled();
await store.modify(Host, "a", (host) => void (host.healthy = false)); // the table stays, one is missing
await engine.settled();
console.log((await store.get(ControllerStatus, tableController.name))?.spec.error?.message);
await store.create(Host, "c", { address: "192.0.2.3", healthy: true });
await engine.settled();
await store.teardownAndDestroy(pointerTo(Service, "web")); // the controller takes its table away first
