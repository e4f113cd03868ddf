/** Which nodes a request is for (talosctl-wire.md §1.4). */
import { canonicalAddress } from "#pki";
import { InvalidRequestError, type Call } from "#runtime/rpc";
import { ForwardingError } from "./errors.ts";

/** Services whose replies can name the nodes that they come from. */
const MERGED_SERVICES: ReadonlySet<string> = new Set([
  "machine.MachineService",
  "cluster.ClusterService",
  "inspect.InspectService",
  "storage.StorageService",
  "time.TimeService",
  "trustplane.v1.ControlService",
]);

/** How many nodes one request may be for. */
export const NODES_MAX = 256;

/** A node that a reply names; `isLocal` when it is this one. */
export interface Target {
  readonly hostname: string;
  readonly isLocal: boolean;
}

/** Who answers a request: this node, one other, or several whose replies name them. */
export type Route =
  | { readonly to: "this" }
  | { readonly to: "another"; readonly node: string }
  | { readonly to: "each"; readonly targets: readonly Target[] };

/** What is known of this node. */
export interface Surroundings {
  readonly isLocal: (name: string) => boolean;
  /** Whether requests can be passed on to other nodes. */
  readonly canForward: () => boolean;
  /** Whether who calls may pass on what others ask. */
  readonly isForwarder: (call: Call) => boolean;
}

const here: Route = { to: "this" };

/**
 * Finds out whom a request is for. What another node has passed on is answered here, whatever it names.
 *
 * @throws {InvalidRequestError} for several values of `node`, `nodes` of a service without merging, or
 *   too many of them
 * @throws {ForwardingError} when the only node is another one, and this one cannot pass requests on
 */
export function routeOf(call: Call, { isLocal, canForward, isForwarder }: Surroundings): Route {
  if (call.header("proxyfrom").length > 0 && isForwarder(call)) return here;
  const single = call.header("node");
  if (single.length > 1) throw new InvalidRequestError("node metadata must be single-valued");
  const [node] = single;
  if (node !== undefined) {
    if (isLocal(node)) return here;
    if (!canForward()) throw new ForwardingError();
    return { to: "another", node };
  }
  const targets = namesIn(call).map((hostname) => ({ hostname, isLocal: isLocal(hostname) }));
  if (targets.length === 0) return here;
  if (!MERGED_SERVICES.has(serviceOf(call)))
    throw new InvalidRequestError(`one-2-many proxying is not supported for method ${call.path}`);
  if (targets.length === 1 && !targets[0]?.isLocal && !canForward()) throw new ForwardingError();
  return { to: "each", targets };
}

/** Each node of `nodes` once, as it was named first. */
function namesIn(call: Call): string[] {
  const named = new Set(call.header("nodes").filter((name) => name !== ""));
  if (named.size > NODES_MAX)
    throw new InvalidRequestError(`a request is for at most ${NODES_MAX} nodes: ask in parts`);
  const once = new Map<string, string>();
  for (const name of named) {
    const key = canonicalName(name);
    if (!once.has(key)) once.set(key, name);
  }
  return [...once.values()];
}

const serviceOf = ({ path }: Call): string => path.split("/")[1] ?? "";

/**
 * Tells the names of this node from others. Nodes that share a host, each with its own loopback
 * address, are not what `localhost` means.
 *
 * @param address where it listens
 * @param names what else it goes by, asked for at each call
 */
export function localNames(
  address: string,
  names: () => Iterable<string>,
): (name: string) => boolean {
  const isOneOfMany = address.startsWith("127.") && address !== "127.0.0.1";
  const fixed = new Set(
    ["", address, ...(isOneOfMany ? [] : ["127.0.0.1", "::1", "localhost"])].map(canonicalName),
  );
  return (name) => {
    const wanted = canonicalName(name);
    return fixed.has(wanted) || [...names()].some((own) => canonicalName(own) === wanted);
  };
}

/** What is no address is a name, also an address with a zone. */
export const canonicalName = (name: string): string => canonicalAddress(name) ?? name.toLowerCase();
