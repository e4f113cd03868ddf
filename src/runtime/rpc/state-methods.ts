/** The methods of `cosi.resource.State` on a store, whatever carries them (cosi.md §5.2, §5.4). */
import { NotFoundError } from "../errors.ts";
import type { Resource } from "../resource.ts";
import type { Write } from "../store/store.ts";
import { teardown, teardownAndDestroy } from "../store/teardown.ts";
import type { Answer, Call, Stream } from "./call.ts";
import {
  TeardownResponse,
  type CreateRequest,
  type DestroyRequest,
  type GetRequest,
  type ListRequest,
  type TeardownAndDestroyRequest,
  type TeardownRequest,
  type UpdateRequest,
  type WatchRequest,
} from "./gen/v1alpha1/state.ts";
import { readQuery } from "./query.ts";
import { checkNewOwner, readPhase, readResource } from "./read-resource.ts";
import { InvalidRequestError } from "./status.ts";
import { streamWatch, type WatchSource } from "./watch.ts";
import { resourceBytes, type KindLookup, type ResourceBytes } from "./wire.ts";

/** What a caller is about to do with a kind. */
export interface Access {
  readonly verb: "get" | "list" | "watch" | "create" | "update" | "teardown" | "destroy";
  readonly namespace: string;
  readonly type: string;
  /** Empty for a whole kind. */
  readonly id: string;
}

/** Decides on an access; throws {@link AccessDeniedError} to refuse it. */
export type AccessPolicy = (access: Access, call: Call) => void | Promise<void>;

/** What the methods are served from. */
export interface StateSource extends WatchSource {
  readonly kindOf: KindLookup;
  /**
   * Whether resources of kinds that are not known are stored, both forms of their spec verbatim.
   * Default false: they are refused.
   */
  readonly acceptUnknown?: boolean;
  /** Asked before the store is; default everything is allowed. */
  readonly policy?: AccessPolicy;
}

/** The methods: messages come decoded and leave encoded. */
export type StateMethods = ReturnType<typeof stateMethods>;

const nothing = Buffer.alloc(0);
const ready = Buffer.from(TeardownResponse.encode({ destroyReady: true }).finish());

/** Makes the methods. */
export function stateMethods(source: StateSource) {
  const { core } = source;
  const bytesOf = resourceBytes(source.kindOf);
  const kinds = { kindOf: source.kindOf, acceptUnknown: source.acceptUnknown ?? false };
  const write = async (operation: Write): Promise<Buffer> => {
    const [stored] = await core.commit([operation]);
    if (stored === undefined) throw new TypeError("the store answered a write with nothing");
    return operation.op === "destroy" ? nothing : bytesOf(stored);
  };
  const pass = gate(source);
  return {
    get: pass<GetRequest, Buffer>("get", itself, async ({ namespace, type, id }) => {
      const pointer = { namespace, type, id };
      const resource = await core.get(pointer);
      if (resource === undefined) throw new NotFoundError(pointer);
      return bytesOf(resource);
    }),
    list: passStream<ListRequest>(source, "list", (request, sink) =>
      streamList(request, sink, source, bytesOf),
    ),
    watch: passStream<WatchRequest>(source, "watch", (request, sink) =>
      streamWatch(request, sink, source, bytesOf),
    ),
    create: pass<CreateRequest, Buffer>(
      "create",
      addressOf,
      async ({ resource: wire, options }) => {
        const owner = options?.owner ?? "";
        const resource = await readResource(wire, kinds);
        checkNewOwner(resource, owner);
        return write({ op: "create", resource, owner });
      },
    ),
    update: pass<UpdateRequest, Buffer>(
      "update",
      addressOfNew,
      async ({ newResource, options }) => {
        const resource = await readResource(newResource, kinds);
        const { expectedPhase: phase, owner = "" } = options ?? {};
        const expectedPhase = phase === undefined ? "any" : readPhase(phase);
        return write({ op: "update", resource, owner, expectedPhase });
      },
    ),
    destroy: pass<DestroyRequest, Buffer>("destroy", itself, (request) =>
      write({ op: "destroy", pointer: pointerOf(request), owner: request.options?.owner ?? "" }),
    ),
    teardown: pass<TeardownRequest, Buffer>("teardown", itself, async (request) => {
      const owner = request.options?.owner ?? "";
      return (await teardown(core, pointerOf(request), owner)) ? ready : nothing;
    }),
    teardownAndDestroy: pass<TeardownAndDestroyRequest, Buffer>(
      "teardown",
      itself,
      async (request, { signal }) => {
        await teardownAndDestroy(core, pointerOf(request), request.options?.owner ?? "", signal);
        return nothing;
      },
    ),
  };
}

type Address = Pick<Access, "namespace" | "type"> & { readonly id?: string | undefined };

const itself = (request: Address): Address => request;
const addressOf = ({ resource }: CreateRequest) => resource?.metadata;
const addressOfNew = ({ newResource }: UpdateRequest) => newResource?.metadata;

const pointerOf = ({ namespace, type, id }: Resource["metadata"] | GetRequest) => ({
  namespace,
  type,
  id,
});

const accessTo = ({ namespace, type, id = "" }: Address, verb: Access["verb"]): Access => ({
  verb,
  namespace,
  type,
  id,
});

/** Asks the policy first. */
const gate =
  ({ policy }: StateSource) =>
  <Request, Response>(
    verb: Access["verb"],
    addressed: (request: Request) => Address | undefined,
    answer: Answer<Request, Response>,
  ): Answer<Request, Response> =>
  (request, call) => {
    const address = addressed(request);
    if (address === undefined) throw new InvalidRequestError("the request has no resource");
    if (policy === undefined) return answer(request, call);
    const asked = policy(accessTo(address, verb), call);
    return asked === undefined ? answer(request, call) : asked.then(() => answer(request, call));
  };

const passStream =
  <Request extends Address>(
    { policy }: StateSource,
    verb: Access["verb"],
    stream: Stream<Request, Buffer>,
  ): Stream<Request, Buffer> =>
  async (request, sink, call) => {
    await policy?.(accessTo(request, verb), call);
    await stream(request, sink, call);
  };

async function streamList(
  { namespace, type, options }: ListRequest,
  sink: Parameters<Stream<ListRequest, Buffer>>[1],
  { core }: StateSource,
  bytesOf: ResourceBytes,
): Promise<void> {
  const query = readQuery(options?.labelQuery ?? [], options?.idQuery);
  for (const resource of await core.list({ namespace, type }, query)) {
    const room = sink.send(bytesOf(resource));
    if (room) await room;
  }
}
