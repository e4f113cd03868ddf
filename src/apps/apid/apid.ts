/** The API of a node: COSI's State and Talos' services over mutual TLS. */
import type { AnyResourceType, Clock, Logger } from "#runtime";
import {
  lookupOf,
  type AccessPolicy,
  type Call,
  type CallOptions,
  type StateServerOptions,
} from "#runtime/rpc";
import type { Store } from "#runtime/store";
import { Server } from "@grpc/grpc-js";
import { accessPolicy, sensitiveOf } from "./access-policy.ts";
import { auditing, type Auditing, type RecordEntry } from "./audit.ts";
import { callersOf, type CallersOptions } from "./callers.ts";
import { apidStatuses } from "./errors.ts";
import { grace } from "./grace.ts";
import { injectorOf } from "./injection.ts";
import { openListener } from "./listener.ts";
import type { ListenerMaterial } from "./material.ts";
import { forwarderOf } from "./forwarding/forwarder.ts";
import { passing } from "./forwarding/passing.ts";
import { openPeers, type Peers } from "./forwarding/peers.ts";
import { authorize } from "./roles.ts";
import { routerOf } from "./router.ts";
import { localNames, routeOf } from "./routing.ts";
import { memberService, servicesOf, type NodePorts } from "./services.ts";

/** Talos' limit for a message in either direction. */
export const MESSAGE_BYTES_MAX = 32 * 1024 * 1024;
/** How many calls a connection may have at a time; clients keep the rest back. */
const CALLS_MAX = 1000;

export interface ApidOptions {
  readonly address: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly material: ListenerMaterial;
  readonly store: Store;
  /** Everything that may be read; other types are refused. */
  readonly kinds: readonly AnyResourceType[];
  readonly clock: Clock;
  readonly log: Logger;
  readonly ports: NodePorts;
  /** Keeps what is worth a line of the audit log; left out: nobody does. */
  readonly record?: RecordEntry;
  /** Names and addresses of this node besides the one it listens on; asked at each call. */
  readonly names?: () => Iterable<string>;
  /** Where other nodes listen that are named without a port; default the port of this one. */
  readonly peerPort?: number;
  /** Names and addresses of the members of the cluster, which may be named with other ports. */
  readonly members?: () => Iterable<string>;
  /** What is kept for clients that read slowly. */
  readonly watches?: Pick<StateServerOptions, "pendingBytesMax" | "resumesFromLog">;
}

export interface Apid extends AsyncDisposable {
  readonly port: number;
  /** @throws {ListenerMaterialError} and what is in force stays in force */
  rotate(material: ListenerMaterial): void;
  /** Turns these client certificates away from now on, by fingerprint; none other is denied. */
  deny(fingerprints: ReadonlySet<string>): void;
  /** How many open connections are under a client certificate. */
  connectionsUnder(fingerprint: string): number;
  /** Ends every call and connection, by force after half a second. */
  close(): Promise<void>;
}

/**
 * Starts to serve.
 *
 * @throws {ListenError} when the address cannot be had
 * @throws {ListenerMaterialError} when key, certificate and authorities do not fit together
 */
export async function startApid(options: ApidOptions): Promise<Apid> {
  const { address, clock } = options;
  const log = options.log.child({ component: "apid" });
  const closing = new AbortController();
  const peers = openPeers({
    ...{ address, clock, log, messageBytesMax: MESSAGE_BYTES_MAX },
    port: () => options.peerPort ?? listener.port,
    ...(options.members && { members: options.members }),
  });
  const serving: Serving = {
    closing: closing.signal,
    endOf: ({ peer }) => listener.endOf(peer),
    callerAt: (peer) => listener.callerAt(peer),
    objectionTo: (peer) => listener.objectionTo(peer),
    isDenied: (fingerprints) => fingerprints.some((one) => denied.has(one)),
    peers,
  };
  let denied: ReadonlySet<string> = new Set();
  const { server, audit } = serverOf({ ...options, log }, serving);
  const listener = await openListener({ ...options, log, accept: injectorOf(server) });
  peers.identify(options.material);
  log.info({ address, port: listener.port }, "apid listens");

  const close = async () => {
    const gone = listener.stop();
    closing.abort();
    // Says goodbye on each connection. When all is said is told by the connections, not by this.
    server.tryShutdown(() => undefined);
    await grace(gone, clock);
    server.forceShutdown();
    peers.close();
    listener.destroyConnections();
    await audit.close();
  };
  let closed: Promise<void> | undefined;
  const closeOnce = () => (closed ??= close());
  return {
    port: listener.port,
    rotate(material) {
      listener.rotate(material);
      peers.identify(material);
    },
    deny(fingerprints) {
      denied = fingerprints;
      listener.deny(fingerprints);
    },
    connectionsUnder: (fingerprint) => listener.countUnder(fingerprint),
    close: closeOnce,
    [Symbol.asyncDispose]: closeOnce,
  };
}

interface Serving extends Pick<CallOptions, "closing" | "endOf">, CallersOptions {
  readonly peers: Peers;
}

/** The services, behind roles and routing. */
function serverOf(
  {
    address,
    names,
    store,
    kinds,
    clock,
    log,
    ports,
    watches,
    record = () => Promise.resolve(),
  }: ApidOptions,
  { callerAt, objectionTo, isDenied, peers, ...ends }: Serving,
): { readonly server: Server; readonly audit: Auditing } {
  const { rolesOf, originOf, isForwarder } = callersOf({ callerAt, objectionTo, isDenied });
  const surroundings = {
    isLocal: localNames(address, names ?? (() => [])),
    canForward: () => peers.canCall(),
    isForwarder,
  };
  const route = (call: Call) => routeOf(call, surroundings);
  const allows = accessPolicy(store.core, kinds);
  const audit = auditing({
    ...{ record, clock, callerAt },
    isSensitive: sensitiveOf(kinds),
    isPassedOn: (call) => route(call).to === "another",
  });
  const admit = (call: Call) => {
    audit.sees(call);
    authorize(rolesOf(call), call.path);
    route(call);
  };
  const { begins, settled, discloses, ended } = audit;
  const calls = { log, admit, begins, settled, statuses: apidStatuses, ...ends };
  const policy: AccessPolicy = async (access, call) => {
    if ((await allows(access, rolesOf(call))) === "sensitive") await discloses(access, call);
  };

  const server = new Server({
    "grpc.max_receive_message_length": MESSAGE_BYTES_MAX,
    "grpc.max_send_message_length": -1,
    "grpc.max_concurrent_streams": CALLS_MAX,
  });
  const forwarder = forwarderOf({ peers, rolesOf, originOf, clock });
  const routing = { ...calls, routeOf: route, forwarder };
  const router = routerOf({ ...routing, ended });
  const state = { ...calls, ...watches, core: store.core, kindOf: lookupOf(kinds), policy };
  for (const service of servicesOf(router, ports, state))
    server.addService(...passing(service, routing));
  server.addService(...memberService(ports, { ...calls, callerAt }));
  return { server, audit };
}
