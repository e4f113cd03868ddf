import { status } from "@grpc/grpc-js";
import { describe, expect, test } from "vitest";
import { AccessDeniedError } from "#runtime/rpc";
import type { WireResource } from "#runtime/rpc";
import { carriers, Note, reply, serveStore, type Served } from "./served-store.ts";

/** Nothing of it but the address is looked at. */
const resource = {
  metadata: {
    ...{ namespace: "test", type: Note.type, id: "a", version: "1", owner: "", phase: "running" },
    ...{ created: undefined, updated: undefined, finalizers: [], labels: {}, annotations: {} },
  },
  spec: undefined,
};
const place = { namespace: "test", type: Note.type };

async function list({ client }: Served, options?: object): Promise<(string | undefined)[]> {
  const stream = client.list({
    ...place,
    options: { labelQuery: [], idQuery: undefined, ...options },
  });
  const ids: (string | undefined)[] = [];
  for await (const message of stream as AsyncIterable<{ resource: WireResource }>)
    ids.push(message.resource.metadata?.id);
  return ids;
}

describe.each(carriers)("over %s", (carrier) => {
  test("get answers with the resource, or NOT_FOUND", async () => {
    await using served = await serveStore({ carrier });
    await served.store.create(Note, "a", { text: "hello" });
    const request = { ...place, id: "a", options: undefined };
    const { resource } = await reply<{ resource: WireResource | undefined }>((done) =>
      served.client.get(request, done),
    );
    expect(resource?.spec?.yamlSpec).toBe("text: hello\n");
    await expect(
      reply((done) => served.client.get({ ...request, id: "b" }, done)),
    ).rejects.toMatchObject({ code: status.NOT_FOUND, details: /doesn't exist/ });
  });

  test("list streams a kind in the order of ids, more than a window of it", async () => {
    await using served = await serveStore({ carrier });
    const ids = Array.from({ length: 500 }, (_, i) => `n${String(i).padStart(3, "0")}`);
    for (const id of ids.toReversed())
      await served.store.create(Note, id, { text: "x".repeat(9000) });
    expect(await list(served)).toEqual(ids);
  });

  test("list obeys label and id queries, and refuses what is none", async () => {
    await using served = await serveStore({ carrier });
    await served.store.create(Note, "a1", { text: "" }, { labels: { tier: "front" } });
    await served.store.create(Note, "a2", { text: "" }, { labels: { tier: "back" } });
    await served.store.create(Note, "b1", { text: "" });
    const term = (op: number, ...value: string[]) => ({
      labelQuery: [{ terms: [{ key: "tier", op, value, invert: false }] }],
    });
    expect(await list(served, term(0))).toEqual(["a1", "a2"]);
    expect(await list(served, term(1, "back"))).toEqual(["a2"]);
    expect(await list(served, term(2))).toEqual(["b1"]);
    expect(await list(served, term(3, "back", "front"))).toEqual(["a1", "a2"]);
    expect(await list(served, { idQuery: { regexp: "1$" } })).toEqual(["a1", "b1"]);
    expect(await list(served, term(4, "c"))).toEqual(["a2"]);
    await expect(list(served, term(99, "x"))).rejects.toMatchObject({ code: status.UNIMPLEMENTED });
    await expect(list(served, term(1))).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
  });

  test("the policy is asked about each verb, before anything else is looked at", async () => {
    const asked: string[] = [];
    await using served = await serveStore({
      carrier,
      policy: ({ verb, namespace, type }) => {
        asked.push(`${verb} ${namespace}/${type}`);
        throw new AccessDeniedError("no");
      },
    });
    const denied = { code: status.PERMISSION_DENIED, details: "no" };
    const pointer = { ...place, id: "a", options: undefined };
    await expect(reply((done) => served.client.get(pointer, done))).rejects.toMatchObject(denied);
    await expect(list(served)).rejects.toMatchObject(denied);
    const update = { newResource: resource, options: undefined };
    await expect(
      reply((done) => served.client.create({ resource, options: undefined }, done)),
    ).rejects.toMatchObject(denied);
    await expect(reply((done) => served.client.update(update, done))).rejects.toMatchObject(denied);
    await expect(reply((done) => served.client.destroy(pointer, done))).rejects.toMatchObject(
      denied,
    );
    await expect(reply((done) => served.client.teardown(pointer, done))).rejects.toMatchObject(
      denied,
    );
    await expect(
      reply((done) => served.client.teardownAndDestroy(pointer, done)),
    ).rejects.toMatchObject(denied);
    const verbs = ["get", "list", "create", "update", "destroy", "teardown", "teardown"];
    expect(asked).toEqual(verbs.map((verb) => `${verb} test/${Note.type}`));
  });

  test("a handler that throws what nobody foresaw ends its call and no other", async () => {
    await using served = await serveStore({
      carrier,
      policy: ({ verb }) => {
        if (verb === "get") throw new TypeError("a bug");
      },
    });
    await served.store.create(Note, "a", { text: "" });
    await expect(
      reply((done) => served.client.get({ ...place, id: "a", options: undefined }, done)),
    ).rejects.toMatchObject({
      code: status.UNKNOWN,
      details: "internal error",
    });
    expect(await list(served)).toEqual(["a"]);
  });
});
