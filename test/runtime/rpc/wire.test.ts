import { expect, test } from "vitest";
import { z } from "zod";
import { at, defineResource } from "#runtime";
import type { Resource } from "#runtime";
import { lookupOf, resourceBytes, type KindLookup } from "#runtime/rpc";
import { eventBytes } from "../../../src/runtime/rpc/events.ts";
import { GetResponse, WatchResponse } from "../../../src/runtime/rpc/gen/v1alpha1/state.ts";
import { openMemoryStore, type WatchEvent } from "#runtime/store";
import { Note } from "./served-store.ts";

const Config = defineResource({
  type: "Configs.test.example.dev",
  namespace: "test",
  spec: z.object({ text: z.string() }),
  encoding: { yaml: ({ text }) => text, annotations: { "talos.dev/yaml-spec": "" } },
});
const kindOf = lookupOf([Note, Config]);

/** What a client with the generated code reads of what goes out. */
function sent(resource: Resource, lookup: KindLookup = kindOf) {
  const { resource: read } = GetResponse.decode(resourceBytes(lookup)(resource));
  if (read?.metadata === undefined || read.spec === undefined) throw new Error("a part is missing");
  return { metadata: read.metadata, spec: read.spec };
}

function sentEvent(event: WatchEvent) {
  const [read] = WatchResponse.decode(
    eventBytes(event, resourceBytes(kindOf), Buffer.alloc(0)),
  ).event;
  if (read === undefined) throw new Error("there is no event");
  return read;
}

test("metadata and both forms of the spec go out", async () => {
  await using store = openMemoryStore();
  const stored = await store.create(
    Note,
    "a",
    { text: "hello" },
    {
      labels: { role: "server" },
      owner: "test.NoteController",
      finalizers: ["x"],
    },
  );
  const { metadata, spec } = sent(stored);
  expect(metadata).toMatchObject({
    namespace: "test",
    type: "Notes.test.example.dev",
    id: "a",
    version: "1",
    owner: "test.NoteController",
    phase: "running",
    finalizers: ["x"],
    labels: { role: "server" },
  });
  expect(metadata.created).toEqual(new Date(stored.metadata.created));
  expect(spec.protoSpec.toString()).toBe("hello");
  expect(spec.yamlSpec).toBe("text: hello\n");
});

test("a kind without a protobuf form has none, and its definition shapes the rest", async () => {
  await using store = openMemoryStore();
  const stored = await store.create(Config, "a", { text: "version: v1alpha1\n" });
  const { metadata, spec } = sent(stored);
  expect(spec).toEqual({ protoSpec: Buffer.alloc(0), yamlSpec: "|\n    version: v1alpha1\n" });
  expect(metadata.annotations).toEqual({ "talos.dev/yaml-spec": "" });
});

test("an unknown kind goes out as the YAML of its spec", async () => {
  await using store = openMemoryStore();
  const { spec } = sent(await store.create(Note, "a", { text: "x" }), () => undefined);
  expect(spec).toEqual({ protoSpec: Buffer.alloc(0), yamlSpec: "text: x\n" });
});

test("a tombstone has a version of its own and YAML that renders", () => {
  const metadata = {
    namespace: "test",
    type: Note.type,
    id: "a",
    version: 0,
    owner: "",
    phase: "running" as const,
    created: at("1970-01-01"),
    updated: at("1970-01-01"),
    labels: {},
    annotations: {},
    finalizers: [],
  };
  const { resource } = sentEvent({ type: "destroyed", resource: { metadata, spec: {} } });
  expect(resource?.metadata).toMatchObject({ version: "undefined", phase: "running" });
  expect(resource?.spec).toEqual({ protoSpec: Buffer.alloc(0), yamlSpec: "{}\n" });
});

test("long and odd texts arrive as they are", async () => {
  await using store = openMemoryStore();
  const text = "\u{1f512}é".repeat(20_000);
  const labels = { "": "", é: "x".repeat(200), long: "\u{1f512}".repeat(50) };
  const stored = await store.create(Note, "\u{10ffff}/ü", { text }, { labels });
  const { metadata, spec } = sent(stored);
  expect(metadata.id).toBe("\u{10ffff}/ü");
  expect(metadata.labels).toEqual(labels);
  expect(spec.protoSpec.toString()).toBe(text);
});

test("an update is told with what was before it, and with its bookmark", async () => {
  await using store = openMemoryStore();
  const old = await store.create(Note, "a", { text: "1" });
  const resource = await store.modify(Note, "a", (draft) => void (draft.text = "2"));
  const bookmark = new Uint8Array(300).fill(7);
  const read = sentEvent({ type: "updated", resource, old, bookmark });
  expect(read.resource?.spec?.protoSpec.toString()).toBe("2");
  expect(read.old?.spec?.protoSpec.toString()).toBe("1");
  expect(read.bookmark).toEqual(Buffer.from(bookmark));
});
