/** What one resource or one caller can do to a server, and must not do to others. */
import { status } from "@grpc/grpc-js";
import { once } from "node:events";
import { connect, constants } from "node:http2";
import { describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { defineResource, silentLogger, systemClock } from "#runtime";
import { lookupOf } from "#runtime/rpc";
import { openRpcServer, stateHandlers, type Handler } from "#runtime/rpc/http2";
import { openMemoryStore } from "#runtime/store";
import { WatchRequest, type GetResponse } from "../../../src/runtime/rpc/gen/v1alpha1/state.ts";
import { carriers, Note, openWatch, reply, serveStore, type Served } from "./served-store.ts";

/** Notes of which one text cannot be encoded. */
const Picky = defineResource({
  type: Note.type,
  namespace: Note.namespace,
  spec: z.object({ text: z.string() }),
  encoding: {
    proto({ text }) {
      if (text === "bad") throw new RangeError("no such text");
      return new TextEncoder().encode(text);
    },
  },
});

const get = ({ client }: Served, id: string) =>
  reply<GetResponse>((done) =>
    client.get({ namespace: Note.namespace, type: Note.type, id, options: undefined }, done),
  );

describe.each(carriers)("over %s", (carrier) => {
  test("a resource that cannot be encoded leaves nothing in the messages of others", async () => {
    await using served = await serveStore({ carrier, kindOf: lookupOf([Picky]) });
    await served.store.create(Picky, "x", { text: "bad" }, { finalizers: ["f"] });
    await served.store.create(Picky, "y", { text: "good" });
    await expect(get(served, "x")).rejects.toMatchObject({ code: status.UNKNOWN });
    const { resource } = await get(served, "y");
    expect(resource).toMatchObject({ metadata: { id: "y", finalizers: [] } });
    expect(resource?.spec?.protoSpec.toString()).toBe("good");
  });

  test("an event that cannot be encoded ends its watch, and not the process", async () => {
    await using served = await serveStore({ carrier, kindOf: lookupOf([Picky]) });
    const watch = openWatch(served);
    expect(await watch.next()).toEqual([]);
    await served.store.create(Picky, "x", { text: "bad" });
    expect(await watch.ended).toMatchObject({ code: status.UNKNOWN });
    await expect(get(served, "y")).rejects.toMatchObject({ code: status.NOT_FOUND });
  });

  test("an error about a very long id is told shortened, with its status", async () => {
    await using served = await serveStore({ carrier });
    await expect(get(served, "x".repeat(1_000_000))).rejects.toMatchObject({
      code: status.NOT_FOUND,
      details: expect.stringMatching(/xx…$/) as string,
    });
    await expect(get(served, "y")).rejects.toMatchObject({ code: status.NOT_FOUND });
  });
});

const request = WatchRequest.encode({
  ...{ namespace: "n", type: "T", id: undefined, options: undefined, apiVersion: 1 },
}).finish();
const frame = Buffer.concat([Buffer.from([0, 0, 0, 0, request.length]), request]);

test.each(["/cosi.resource.State/Watch", "/test.Echo/Answer"])(
  "a call of %s that is reset without an error is over",
  async (path) => {
    await using store = openMemoryStore();
    const log = silentLogger;
    const answer: Handler = (_request, call) => call.end(Buffer.alloc(100_000));
    const handlers = {
      ...stateHandlers({ core: store.core, kindOf: () => undefined, log }),
      "/test.Echo/Answer": answer,
    };
    await using server = openRpcServer({ handlers, clock: systemClock, log });
    await server.listen({ host: "127.0.0.1", port: 0 });
    const session = connect(`http://127.0.0.1:${server.port}`);
    await once(session, "connect");
    for (let i = 0; i < 10; i++) {
      const stream = session.request({
        ":method": "POST",
        ":path": path,
        "content-type": "application/grpc",
      });
      stream.on("error", () => undefined);
      stream.write(frame);
      stream.close(constants.NGHTTP2_NO_ERROR);
    }
    await new Promise((resolve) => session.ping(resolve)); // the server has read what was sent
    await vi.waitFor(() => expect(server.calls).toBe(0));
    session.destroy();
    await vi.waitFor(() => expect(server.connections).toBe(0));
  },
);
