/** `inspect dependencies`, against a node whose controllers are really there. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeTalosconfig } from "#config";
import {
  all,
  defineController,
  defineResource,
  destroyReady,
  each,
  exclusive,
  maybe,
  shared,
  silentLogger,
  strong,
  systemClock,
  systemRandom,
} from "#runtime";
import {
  createEngine,
  Namespace,
  registerKinds,
  ResourceDefinition,
  type Engine,
} from "#runtime/engine";
import { openMemoryStore, type Store } from "#runtime/store";
import { z } from "zod";
import { startApid, type Apid } from "../../../src/apps/apid/index.ts";
import { issueClient, issueRoot, issueServer } from "../apid/running-node.ts";
import { bench, type Bench } from "./harness.ts";

const kind = (type: string) =>
  defineResource({
    type: `${type}.test.example.dev`,
    namespace: "test",
    spec: z.object({ text: z.string() }),
  });
const [Note, Copy, Count] = [kind("Notes"), kind("Copies"), kind("Counts")];

const copying = defineController({
  name: "test.CopyController",
  inputs: { note: strong(each(Note)), other: maybe(Count, "all") },
  outputs: { copy: exclusive(Copy) },
  reconcile: ({ inputs, item }) => ({ outputs: { copy: { [item]: inputs.note.spec } } }),
});
const counting = defineController({
  name: "test.CountController",
  inputs: { copies: all(Copy), gone: destroyReady(all(Note)) },
  outputs: { count: shared(Count) },
  reconcile: ({ inputs }) => ({
    outputs: { count: { all: { text: `${inputs.copies.length}` } } },
  }),
});

let here: Bench;
let store: Store;
let engine: Engine;
let apid: Apid;

beforeAll(async () => {
  const root = await issueRoot();
  const server = await issueServer(root, { ipAddresses: ["127.0.0.1"] });
  store = openMemoryStore();
  const kinds = [Note, Copy, Count];
  await registerKinds(store, kinds, { test: "" });
  await store.create(Note, 'a "quoted" note', { text: "x" });
  engine = createEngine({
    store,
    clock: systemClock,
    random: systemRandom,
    controllers: [copying, counting],
  });
  await engine.start();
  await engine.settled();
  apid = await startApid({
    address: "127.0.0.1",
    port: 0,
    material: { key: server.key, cert: server.crt, ca: [root.crt] },
    store,
    kinds: [...kinds, ResourceDefinition, Namespace],
    clock: systemClock,
    log: silentLogger,
    ports: {
      graph: () => engine.graph(),
      build: { sha: "", built: "" },
      applyConfiguration: () => Promise.reject(new Error("not here")),
      issueClientConfiguration: () => Promise.reject(new Error("not here")),
    },
  });
  here = await bench(systemClock.now());
  const context = {
    endpoints: [`127.0.0.1:${apid.port}`],
    nodes: ["127.0.0.1"],
    ca: root.crt,
    ...(await issueClient(root, ["os:reader"])),
  };
  await here.write("tc", writeTalosconfig({ context: "test", contexts: { test: context } }));
});
afterAll(async () => {
  await here[Symbol.asyncDispose]();
  await apid.close();
  await engine.stop();
  await store.close();
});

const run = (...argv: string[]) => here.runWith({ env: { TALOSCONFIG: "tc" } }, ...argv);

test("types and controllers are one graph, without what waits for a destroy only", async () => {
  const { status, stdout, stderr } = await run("inspect", "dependencies");
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toBe(
    [
      "digraph  {",
      '\tn1[label="test.CopyController",shape="box"];',
      '\tn2[fillcolor="azure2",label="Copies.test.example.dev",shape="note",style="filled"];',
      '\tn3[label="test.CountController",shape="box"];',
      '\tn4[fillcolor="azure2",label="Counts.test.example.dev",shape="note",style="filled"];',
      '\tn5[fillcolor="azure2",label="Notes.test.example.dev",shape="note",style="filled"];',
      '\tn1->n2[style="bold"];',
      '\tn3->n4[style="solid"];',
      '\tn4->n1[label="all",style="dotted"];',
      '\tn5->n1[style="solid"];',
      '\tn2->n3[style="dotted"];',
      "}",
      "",
    ].join("\n"),
  );
});

test("with resources each is a node in the cluster of its type", async () => {
  const { status, stdout, stderr } = await run("inspect", "dependencies", "--with-resources");
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toContain('\tsubgraph cluster_s1 {\n\t\tlabel="Copies.test.example.dev";\n');
  expect(stdout).toContain('label="test/Notes.test.example.dev/a \\"quoted\\" note"');
  const edges = stdout.split("\n").filter((line) => line.includes("->"));
  expect(edges).toHaveLength(5);
});

test("one node only can be asked", async () => {
  const { status, stderr } = await run("inspect", "dependencies", "-n", "127.0.0.1,127.0.0.2");
  expect(status).not.toBe(0);
  expect(stderr).toContain("not supported with multiple nodes");
});
