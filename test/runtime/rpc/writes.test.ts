import { status, type ServiceError } from "@grpc/grpc-js";
import { describe, expect, test } from "vitest";
import { defineResource } from "#runtime";
import { lookupOf, type WireResource } from "#runtime/rpc";
import { z } from "zod";
import { carriers, Note, reply, serveStore, type Served } from "./served-store.ts";

const Opaque = "Things.unknown.example.dev";
const place = { namespace: "test", type: Opaque };

interface Parts {
  readonly metadata?: Partial<NonNullable<WireResource["metadata"]>>;
  readonly spec?: Partial<NonNullable<WireResource["spec"]>>;
}

const wire = ({ metadata, spec }: Parts = {}): WireResource => ({
  metadata: {
    ...{ ...place, id: "a", version: "undefined", owner: "", phase: "running" },
    ...{ created: undefined, updated: undefined, finalizers: [], labels: {}, annotations: {} },
    ...metadata,
  },
  spec: { protoSpec: Buffer.from([0, 0xff, 1]), yamlSpec: "a:   1 # as it came\n", ...spec },
});

interface Reply {
  readonly resource: WireResource | undefined;
}

const create = ({ client }: Served, resource: WireResource | undefined, owner = "") =>
  reply<Reply>((done) => client.create({ resource, options: { owner } }, done));
const update = (
  { client }: Served,
  newResource: WireResource | undefined,
  options?: { owner: string; expectedPhase: string | undefined },
) => reply<Reply>((done) => client.update({ newResource, options }, done));
const pointer = (owner = "", id = "a") => ({ ...place, id, options: { owner } });

const statusOf = (call: Promise<unknown>): Promise<number> =>
  call.then(
    () => status.OK,
    (error: unknown) => (error as ServiceError).code,
  );

describe.each(carriers)("over %s", (carrier) => {
  const serve = () => serveStore({ carrier, acceptUnknown: true });

  test("a resource of an unknown kind is kept as it came, and comes back with its metadata", async () => {
    await using served = await serve();
    const labels = { tier: "front" };
    const sent = wire({ metadata: { labels, finalizers: ["x"], annotations: { note: "é" } } });
    const created = await create(served, sent, "test.Owner");
    expect(created.resource?.metadata).toMatchObject({
      ...{ version: "1", owner: "test.Owner", phase: "running", labels, finalizers: ["x"] },
      annotations: { note: "é" },
      created: new Date("2030-01-01T00:00:00Z"),
    });
    expect(created.resource?.spec).toEqual(sent.spec);
    const got = await reply<Reply>((done) =>
      served.client.get({ ...place, id: "a", options: undefined }, done),
    );
    expect(got).toEqual(created);
    expect((await served.store.core.get({ ...place, id: "a" }))?.spec).toEqual({
      proto: "AP8B",
      yaml: "a:   1 # as it came\n",
    });
  });

  test("a spec without one form or the other stays without it", async () => {
    await using served = await serve();
    const none = { protoSpec: Buffer.alloc(0), yamlSpec: "" };
    expect((await create(served, wire({ spec: none }))).resource?.spec).toEqual(none);
  });

  test("each failed write has the status that clients of COSI look for", async () => {
    await using served = await serve();
    const { client } = served;
    expect(await statusOf(update(served, wire()))).toBe(status.NOT_FOUND);
    await create(served, wire({ metadata: { finalizers: ["x"] } }), "me");
    expect(await statusOf(create(served, wire(), "me"))).toBe(status.ALREADY_EXISTS);
    const next = (metadata: Parts["metadata"]) =>
      wire({ metadata: { version: "1", owner: "me", finalizers: ["x"], ...metadata } });
    const mine = { owner: "me", expectedPhase: undefined };
    const conflicts = [
      [update(served, next({})), status.PERMISSION_DENIED],
      [update(served, next({ version: "7" }), mine), status.FAILED_PRECONDITION],
      [update(served, next({ version: "undefined" }), mine), status.FAILED_PRECONDITION],
      [
        update(served, next({}), { ...mine, expectedPhase: "tearingDown" }),
        status.INVALID_ARGUMENT,
      ],
      [reply((done) => client.destroy(pointer(), done)), status.PERMISSION_DENIED],
      [reply((done) => client.destroy(pointer("me"), done)), status.FAILED_PRECONDITION],
      [reply((done) => client.destroy(pointer("me", "b"), done)), status.NOT_FOUND],
      [reply((done) => client.teardown(pointer("you"), done)), status.PERMISSION_DENIED],
      [reply((done) => client.teardown(pointer("me", "b"), done)), status.NOT_FOUND],
    ] as const;
    for (const [call, code] of conflicts) expect(await statusOf(call)).toBe(code);
    expect((await update(served, next({}), mine)).resource?.metadata?.version).toBe("2");
  });

  test("an update without options, or without a phase in them, takes any phase", async () => {
    await using served = await serve();
    await create(served, wire({ metadata: { phase: "tearingDown" } }));
    const running = { owner: "", expectedPhase: "running" };
    const next = wire({ metadata: { version: "1", phase: "tearingDown" } });
    expect(await statusOf(update(served, next, running))).toBe(status.INVALID_ARGUMENT);
    expect((await update(served, next)).resource?.metadata?.version).toBe("2");
  });

  test("a resource that is none is refused, and never with what clients take for a conflict", async () => {
    await using served = await serve();
    const bad: (WireResource | undefined)[] = [
      undefined,
      { ...wire(), metadata: undefined },
      { ...wire(), spec: undefined },
      wire({ metadata: { version: "" } }),
      wire({ metadata: { version: "-1" } }),
      wire({ metadata: { version: "1e3" } }),
      wire({ metadata: { version: "99999999999999999999" } }),
      wire({ metadata: { phase: "" } }),
      wire({ metadata: { phase: "Running" } }),
    ];
    for (const resource of bad) {
      expect(await statusOf(create(served, resource))).toBe(status.INVALID_ARGUMENT);
      expect(await statusOf(update(served, resource))).not.toBe(status.INVALID_ARGUMENT);
    }
    const foreign = wire({ metadata: { owner: "you" } });
    expect(await statusOf(create(served, foreign, "me"))).toBe(status.INVALID_ARGUMENT);
    expect(await served.store.core.list(place)).toEqual([]);
  });

  test("teardown says whether the resource can be destroyed, as often as it is asked", async () => {
    await using served = await serve();
    await create(served, wire({ metadata: { finalizers: ["x"] } }));
    const ready = () =>
      reply<{ destroyReady: boolean }>((done) => served.client.teardown(pointer(), done));
    expect(await ready()).toEqual({ destroyReady: false });
    expect(await ready()).toEqual({ destroyReady: false });
    await served.store.dropFinalizers({ ...place, id: "a" }, "x");
    expect(await ready()).toEqual({ destroyReady: true });
    await reply((done) => served.client.destroy(pointer(), done));
  });

  test("teardown-and-destroy waits for the finalizers, and ends when its caller goes", async () => {
    await using served = await serve();
    await create(served, wire({ metadata: { finalizers: ["x"] } }));
    const torn = served.store.watchFor(Things, "a", { phase: "tearingDown" });
    const ended = reply((done) => served.client.teardownAndDestroy(pointer(), done));
    await torn;
    const cancelled = reply((done) => served.client.teardownAndDestroy(pointer(), done).cancel());
    expect(await statusOf(cancelled)).toBe(status.CANCELLED);
    await served.store.dropFinalizers({ ...place, id: "a" }, "x");
    await ended;
    expect(await served.store.core.get({ ...place, id: "a" })).toBeUndefined();
  });

  test("kinds that are known are read by their definition, others refused unless they are taken", async () => {
    const kindOf = lookupOf([Note, Text]);
    await using served = await serveStore({ carrier, kindOf });
    const note = (yamlSpec: string) =>
      wire({ metadata: { type: Note.type }, spec: { yamlSpec, protoSpec: Buffer.alloc(0) } });
    await create(served, note("text: hello # there\n"));
    expect((await served.store.get(Note, "a"))?.spec).toEqual({ text: "hello" });
    for (const yaml of ["", "text: 5", "text: [", "- text", "text: &a [*a]"])
      expect(await statusOf(create(served, note(yaml)))).toBe(status.INVALID_ARGUMENT);
    const text = wire({
      metadata: { type: Text.type },
      spec: { protoSpec: Buffer.from("from protobuf"), yamlSpec: "not: this" },
    });
    await create(served, text);
    expect((await served.store.get(Text, "a"))?.spec).toEqual({ text: "from protobuf" });
    expect(await statusOf(create(served, wire()))).toBe(status.INVALID_ARGUMENT);
  });
});

const Things = defineResource({ type: Opaque, namespace: "test", spec: z.unknown() });

const Text = defineResource({
  type: "Texts.test.example.dev",
  namespace: "test",
  spec: z.object({ text: z.string() }),
  encoding: {
    proto: ({ text }) => new TextEncoder().encode(text),
    decode: { proto: (bytes) => ({ text: Buffer.from(bytes).toString() }) },
  },
});
