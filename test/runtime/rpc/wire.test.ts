import { expect, test } from "vitest";
import { z } from "zod";
import { at, defineResource } from "#runtime";
import { lookupOf, wireEvent, wireResource } from "#runtime/rpc";
import { openMemoryStore } from "#runtime/store";
import { Note } from "./served-store.ts";

const Config = defineResource({
  type: "Configs.test.example.dev",
  namespace: "test",
  spec: z.object({ text: z.string() }),
  encoding: { yaml: ({ text }) => text, annotations: { "talos.dev/yaml-spec": "" } },
});
const kindOf = lookupOf([Note, Config]);

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
  const { metadata, spec } = wireResource(stored, kindOf);
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
  expect(metadata?.created).toEqual(new Date(stored.metadata.created));
  expect(spec?.protoSpec.toString()).toBe("hello");
  expect(spec?.yamlSpec).toBe("text: hello\n");
});

test("a kind without a protobuf form has none, and its definition shapes the rest", async () => {
  await using store = openMemoryStore();
  const stored = await store.create(Config, "a", { text: "version: v1alpha1\n" });
  const { metadata, spec } = wireResource(stored, kindOf);
  expect(spec).toEqual({ protoSpec: Buffer.alloc(0), yamlSpec: "|\n    version: v1alpha1\n" });
  expect(metadata?.annotations).toEqual({ "talos.dev/yaml-spec": "" });
});

test("an unknown kind goes out as the YAML of its spec", async () => {
  await using store = openMemoryStore();
  const { spec } = wireResource(await store.create(Note, "a", { text: "x" }), () => undefined);
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
  const { resource } = wireEvent({ type: "destroyed", resource: { metadata, spec: {} } }, kindOf);
  expect(resource?.metadata).toMatchObject({ version: "undefined", phase: "running" });
  expect(resource?.spec).toEqual({ protoSpec: Buffer.alloc(0), yamlSpec: "{}\n" });
});
