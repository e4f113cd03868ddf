/** Calls whose caller goes before they are over: nothing of them stays, and no error is logged. */
import { Metadata, status, type ServerUnaryCall, type ServiceError } from "@grpc/grpc-js";
import { once } from "node:events";
import { connect } from "node:http2";
import { defer, finalize } from "rxjs";
import { describe, expect, test } from "vitest";
import { silentLogger, type Logger } from "#runtime";
import { AccessDeniedError, unary } from "#runtime/rpc";
import type { CoreStore } from "#runtime/store";
import { TeardownAndDestroyRequest } from "../../../src/runtime/rpc/gen/v1alpha1/state.ts";
import { carriers, Note, serveStore, type Carrier } from "./served-store.ts";

const PATH = "/cosi.resource.State/TeardownAndDestroy";
const request = { namespace: "test", type: Note.type, id: "a", options: undefined };

/** A store whose watches of one resource tell when somebody begins and leaves. */
const observed = (core: CoreStore, begun: () => void, left: () => void): CoreStore =>
  new Proxy(core, {
    get(target, name) {
      if (name === "watch")
        return (...args: Parameters<CoreStore["watch"]>) =>
          defer(() => {
            begun();
            return target.watch(...args);
          }).pipe(finalize(left));
      const found: unknown = Reflect.get(target, name);
      return typeof found === "function" ? (found.bind(target) as unknown) : found;
    },
  });

/** Serves a resource with a finalizer: whoever wants it destroyed has to wait. */
async function serveHeld(carrier: Carrier) {
  const errors: string[] = [];
  const log: Logger = { ...silentLogger, error: (_, message) => void errors.push(message) };
  const { promise: begun, resolve: begin } = Promise.withResolvers<undefined>();
  const { promise: left, resolve: leave } = Promise.withResolvers<undefined>();
  const stack = new AsyncDisposableStack();
  const { store } = stack.use(await serveStore());
  await store.create(Note, "a", { text: "" }, { finalizers: ["x"] });
  const core = observed(
    store.core,
    () => begin(undefined),
    () => leave(undefined),
  );
  const { client, port } = stack.use(await serveStore({ carrier, core, log }));
  const close = () => stack.disposeAsync();
  return { client, port, errors, begun, left, [Symbol.asyncDispose]: close };
}

describe.each(carriers)("over %s", (carrier) => {
  test("a call that its caller cancels leaves nothing", async () => {
    await using served = await serveHeld(carrier);
    const ended = Promise.withResolvers<ServiceError | null>();
    const call = served.client.teardownAndDestroy(request, ended.resolve);
    await served.begun;
    call.cancel();
    expect((await ended.promise)?.code).toBe(status.CANCELLED);
    await served.left;
    await new Promise(setImmediate); // what it fails with has been seen to
    expect(served.errors).toEqual([]);
  });

  test("a call whose connection is cut leaves nothing", async () => {
    await using served = await serveHeld(carrier);
    const session = connect(`http://127.0.0.1:${served.port}`);
    const headers = { ":method": "POST", ":path": PATH, "content-type": "application/grpc" };
    const stream = session.request({ ...headers, te: "trailers" });
    stream.on("error", () => undefined);
    const message = TeardownAndDestroyRequest.encode(request).finish();
    stream.end(Buffer.concat([Buffer.from([0, 0, 0, 0, message.length]), message]));
    await served.begun;
    session.destroy();
    await once(session, "close");
    await served.left;
    await new Promise(setImmediate); // what it fails with has been seen to
    expect(served.errors).toEqual([]);
  });
});

test("a call that is refused stays refused, also when its caller does not wait to hear it", async () => {
  const settled = Promise.withResolvers<number>();
  const admit = () => {
    throw new AccessDeniedError("not authorized");
  };
  const handler = unary<object, object>(() => ({}), {
    ...{ log: silentLogger, admit },
    settled: (_call, _request, { code }) => settled.resolve(code),
  });
  const gone = {
    ...{ cancelled: true, request: {}, metadata: new Metadata() },
    ...{ getPath: () => PATH, getPeer: () => "127.0.0.1:4000" },
  };
  handler(gone as unknown as ServerUnaryCall<object, object>, () => undefined);
  expect(await settled.promise).toBe(status.PERMISSION_DENIED);
});
