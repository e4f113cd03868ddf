/** A store behind a gRPC server on the loopback interface, and a client of it. */
import { credentials, Server, ServerCredentials, type ServiceError } from "@grpc/grpc-js";
import { on } from "node:events";
import { at, defineResource, manualClock, silentLogger, systemClock } from "#runtime";
import {
  lookupOf,
  stateServer,
  StateClient,
  StateService,
  type StateServerOptions,
  type WatchResponse,
} from "#runtime/rpc";
import { openRpcServer, stateHandlers } from "#runtime/rpc/http2";
import { openMemoryStore } from "#runtime/store";
import { z } from "zod";

export const Note = defineResource({
  type: "Notes.test.example.dev",
  namespace: "test",
  spec: z.object({ text: z.string() }),
  encoding: { proto: ({ text }) => new TextEncoder().encode(text) },
});

export type Served = Awaited<ReturnType<typeof serveStore>>;

/** What carries the calls: the general library, as in a node, or our own server. */
export const carriers = ["grpc-js", "http2"] as const;
export type Carrier = (typeof carriers)[number];

interface ServedOptions extends Partial<StateServerOptions> {
  readonly carrier?: Carrier;
}

export async function serveStore({ carrier = "grpc-js", ...options }: ServedOptions = {}) {
  const clock = manualClock(at("2030-01-01T00:00:00Z"));
  const store = openMemoryStore({ clock });
  const served = { core: store.core, kindOf: lookupOf([Note]), log: silentLogger, ...options };
  const { port, stop } = await (carrier === "grpc-js" ? grpcServer : http2Server)(served);
  const client = new StateClient(`127.0.0.1:${port}`, credentials.createInsecure());
  return {
    clock,
    store,
    client,
    port,
    async [Symbol.asyncDispose]() {
      client.close();
      await stop();
      await store.close();
    },
  };
}

async function grpcServer(options: StateServerOptions) {
  const server = new Server();
  server.addService(StateService, stateServer(options));
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => {
      if (error) reject(error);
      else resolve(bound);
    });
  });
  return { port, stop: async () => server.forceShutdown() };
}

async function http2Server(options: StateServerOptions) {
  const { log } = options;
  const server = openRpcServer({ handlers: stateHandlers(options), clock: systemClock, log });
  await server.listen({ host: "127.0.0.1", port: 0 });
  return { port: server.port ?? 0, stop: () => server.close() };
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
