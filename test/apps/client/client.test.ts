import { expect, test } from "vitest";
import { connect } from "../../../src/apps/client/index.ts";
import { remoteEvent, remoteResource } from "../../../src/apps/client/resource.ts";
import { systemClock } from "#runtime";
import { EventType } from "#runtime/rpc";
import { issueClient, issueRoot, Note, runNode } from "../apid/running-node.ts";

test("resources come in both forms, whatever their kind", async () => {
  await using node = await runNode();
  const { metadata } = await node.store.create(Note, "a", { text: "2026-11-20" });
  const admin = await node.admin();
  const found = await admin.get({ namespace: "test", type: Note.type, id: "a" });
  expect(found.yamlSpec).toBe('text: "2026-11-20"\n');
  expect(found.metadata).toMatchObject({
    id: "a",
    version: "1",
    phase: "running",
    created: metadata.created,
  });
  expect(await admin.list(Note)).toEqual([found]);
  await expect(admin.get({ namespace: "test", type: Note.type, id: "b" })).rejects.toMatchObject({
    code: "ERR_CALL_FAILED",
    message: `rpc error: code = NotFound desc = resource ${Note.type}(test/b) doesn't exist`,
  });
});

test("a watch begins with what is there, and ends with its signal", async () => {
  await using node = await runNode();
  await node.store.create(Note, "a", { text: "1" });
  const admin = await node.admin();
  const stop = new AbortController();
  const seen: string[] = [];
  for await (const event of admin.watch(Note, { signal: stop.signal })) {
    seen.push(
      event.type === "bootstrapped" ? event.type : `${event.type} ${event.resource.metadata.id}`,
    );
    if (seen.length === 2) await node.store.modify(Note, "a", (draft) => void (draft.text = "2"));
    if (seen.length === 3)
      await node.store.destroy({ namespace: "test", type: Note.type, id: "a" });
    if (seen.length === 4) stop.abort();
  }
  expect(seen).toEqual(["created a", "bootstrapped", "updated a", "destroyed a"]);
});

test("a watch of one resource begins with its state", async () => {
  await using node = await runNode();
  const admin = await node.admin();
  for await (const event of admin.watch({ namespace: "test", type: Note.type, id: "a" })) {
    expect(event).toMatchObject({
      type: "destroyed",
      resource: { metadata: { version: "undefined" }, yamlSpec: "{}\n" },
    });
    break;
  }
});

test("a client needs an endpoint", async () => {
  const root = await issueRoot();
  const identity = await issueClient(root);
  const options = { ca: root.crt, ...identity, source: "the test", clock: systemClock };
  expect(() => connect({ endpoints: [], ...options })).toThrow(TypeError);
});

test("a reply that is no resource is refused", () => {
  const metadata = {
    ...{ namespace: "", type: "", id: "", version: "1", owner: "", phase: "running" },
    ...{ created: undefined, updated: undefined, finalizers: [], labels: {}, annotations: {} },
  };
  const spec = { protoSpec: Buffer.alloc(0), yamlSpec: "" };
  expect(remoteResource({ metadata, spec }).metadata.created).toBe(0);
  expect(() => remoteResource({ metadata, spec: undefined })).toThrow("spec is missing");
  expect(() => remoteResource({ metadata: undefined, spec })).toThrow("metadata is missing");
  expect(() => remoteResource({ metadata: { ...metadata, phase: "" }, spec })).toThrow("phase");
  expect(() => remoteResource({ metadata: { ...metadata, version: "x" }, spec })).toThrow(
    "version",
  );
  const event = { resource: undefined, old: undefined, bookmark: undefined };
  expect(() =>
    remoteEvent({ ...event, eventType: EventType.ERRORED, error: "fell behind" }),
  ).toThrow("fell behind");
  expect(remoteEvent({ ...event, eventType: EventType.NOOP, error: undefined })).toBeUndefined();
});
