/** A store behind a gRPC server on the loopback interface, and a client of it. */
import { credentials, Server, ServerCredentials, type ServiceError } from "@grpc/grpc-js";
import { on } from "node:events";
import { at, defineResource, manualClock, silentLogger } from "#runtime";
import {
  lookupOf,
  stateServer,
  StateClient,
  StateService,
  type StateServerOptions,
  type WatchResponse,
} from "#runtime/rpc";
import { openMemoryStore } from "#runtime/store";
import { z } from "zod";

export const Note = defineResource({
  type: "Notes.test.example.dev",
  namespace: "test",
  spec: z.object({ text: z.string() }),
  encoding: { proto: ({ text }) => new TextEncoder().encode(text) },
});

export type Served = Awaited<ReturnType<typeof serveStore>>;

export async function serveStore(options: Partial<StateServerOptions> = {}) {
  const clock = manualClock(at("2030-01-01T00:00:00Z"));
  const store = openMemoryStore({ clock });
  const server = new Server();
  const kindOf = lookupOf([Note]);
  const log = silentLogger;
  server.addService(StateService, stateServer({ core: store.core, kindOf, log, ...options }));
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => {
      if (error) reject(error);
      else resolve(bound);
    });
  });
  const client = new StateClient(`127.0.0.1:${port}`, credentials.createInsecure());
  return {
    clock,
    store,
    client,
    async [Symbol.asyncDispose]() {
      client.close();
      server.forceShutdown();
      await store.close();
    },
  };
}

/** The reply to a unary call. */
export const reply = <Response>(
  start: (callback: (error: ServiceError | null, response: Response) => void) => unknown,
) =>
  new Promise<Response>((resolve, reject) => {
    start((error, response) => {
      if (error) reject(error);
      else resolve(response);
    });
  });

export const watchOptions = {
  bootstrapContents: false,
  tailEvents: 0,
  labelQuery: [],
  idQuery: undefined,
  aggregated: false,
  startFromBookmark: undefined,
  bootstrapBookmark: false,
};

/** Opens a watch of notes; `next` waits for one message. */
export function openWatch(
  { client }: Served,
  request: {
    id?: string;
    apiVersion?: number;
    options?: Partial<typeof watchOptions> | object;
  } = {},
) {
  const stream = client.watch({
    namespace: "test",
    type: Note.type,
    id: request.id,
    options: { ...watchOptions, ...request.options },
    apiVersion: request.apiVersion ?? 1,
  });
  stream.on("error", () => {});
  const messages = on(stream, "data", { close: ["end"] });
  const ended = new Promise<ServiceError | undefined>((resolve) => {
    stream.once("error", resolve);
    stream.once("end", () => resolve(undefined));
  });
  return {
    stream,
    ended,
    async next() {
      const message = await messages.next();
      if (message.done) throw new Error("the watch has ended");
      return (message.value as [WatchResponse])[0].event;
    },
  };
}
