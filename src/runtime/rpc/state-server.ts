/** `cosi.resource.State` on a store (cosi.md §5.2, §5.4). */
import { NotFoundError, UnsupportedError } from "../errors.ts";
import { serverStream, unary, type Call, type CallOptions, type Sink } from "./call.ts";
import type {
  GetRequest,
  GetResponse,
  ListRequest,
  ListResponse,
  StateServer,
} from "./gen/v1alpha1/state.ts";
import { readQuery } from "./query.ts";
import { InvalidRequestError } from "./status.ts";
import { streamWatch, type WatchSource } from "./watch.ts";
import { wireResource } from "./wire.ts";

/** What a caller is about to do with a kind. */
export interface Access {
  readonly verb: "get" | "list" | "watch" | "create" | "update" | "teardown" | "destroy";
  readonly namespace: string;
  readonly type: string;
}

/** Decides on an access; throws {@link AccessDeniedError} to refuse it. */
export type AccessPolicy = (access: Access, call: Call) => void | Promise<void>;

export interface StateServerOptions extends CallOptions, WatchSource {
  /** Asked before the store is; default everything is allowed. */
  readonly policy?: AccessPolicy;
}

/** Makes the handlers. Writes pass the policy and are not implemented beyond it. */
export function stateServer(options: StateServerOptions): StateServer {
  const policy = options.policy ?? (() => undefined);
  const write = <Request, Response>(
    verb: Access["verb"],
    addressOf: (request: Request) => Omit<Access, "verb"> | undefined,
  ) =>
    unary<Request, Response>(async (request, call) => {
      const address = addressOf(request);
      if (address === undefined) throw new InvalidRequestError("the request has no resource");
      await policy({ verb, namespace: address.namespace, type: address.type }, call);
      throw new UnsupportedError(`${verb} over this API is not implemented`);
    }, options);
  const itself = <Address>(request: Address) => request;
  return {
    get: unary(async (request, call) => {
      await policy({ verb: "get", namespace: request.namespace, type: request.type }, call);
      return get(request, options);
    }, options),
    list: serverStream(async (request, sink, call) => {
      await policy({ verb: "list", namespace: request.namespace, type: request.type }, call);
      await list(request, sink, options);
    }, options),
    watch: serverStream(async (request, sink, call) => {
      await policy({ verb: "watch", namespace: request.namespace, type: request.type }, call);
      await streamWatch(request, sink, options);
    }, options),
    create: write("create", ({ resource }) => resource?.metadata),
    update: write("update", ({ newResource }) => newResource?.metadata),
    destroy: write("destroy", itself),
    teardown: write("teardown", itself),
    teardownAndDestroy: write("teardown", itself),
  };
}

async function get(
  { namespace, type, id }: GetRequest,
  { core, kindOf }: WatchSource,
): Promise<GetResponse> {
  const pointer = { namespace, type, id };
  const resource = await core.get(pointer);
  if (resource === undefined) throw new NotFoundError(pointer);
  return { resource: wireResource(resource, kindOf) };
}

async function list(
  { namespace, type, options }: ListRequest,
  sink: Sink<ListResponse>,
  { core, kindOf }: WatchSource,
): Promise<void> {
  const query = readQuery(options?.labelQuery ?? [], options?.idQuery);
  for (const resource of await core.list({ namespace, type }, query)) {
    const room = sink.send({ resource: wireResource(resource, kindOf) });
    if (room) await room;
  }
}
