/** Asks nodes for their resources, and hands them configurations. */
import type { Clock, Pointer } from "#runtime";
import { openConnection, type Connection } from "./connection.ts";
import { controlCalls, type ControlCalls } from "./control-calls.ts";
import { parseEndpoint } from "./endpoint.ts";
import { eventCalls, type ClientEvent, type EventsRequest } from "./event-calls.ts";
import { failover, type Endpoints } from "./failover.ts";
import { fileCalls, type FileEntry, type FileQuery } from "./file-calls.ts";
import { lifecycleCalls, type RebootMode } from "./lifecycle-calls.ts";
import { logCalls, type LogRequest } from "./log-calls.ts";
import {
  machineCalls,
  type ApplyMode,
  type ClientConfiguration,
  type Dependency,
  type NodeVersion,
} from "./machine-calls.ts";
import { memberCalls, type MemberCalls } from "./member-calls.ts";
import { checkIdentity, type Identity } from "./own-certificate.ts";
import { resourceCalls } from "./resource-calls.ts";
import { statusCalls, type NodeTime } from "./status-calls.ts";
import type { RemoteEvent, RemoteResource } from "./resource.ts";
import { serviceCalls, type NodeService } from "./service-calls.ts";

export interface ClientOptions extends Identity {
  /** Tried in order; the one that is the node of a call comes first. */
  readonly endpoints: readonly string[];
  /** For endpoints without one; default 50000. */
  readonly port?: number;
  readonly clock: Clock;
}

/** Goes with each call. */
export interface CallOptions {
  /** The node that is meant; default the one that answers. */
  readonly node?: string;
  /** Ends a stream. */
  readonly signal?: AbortSignal;
}

/** Where to look: a kind in a namespace. */
export interface Place {
  readonly namespace: string;
  readonly type: string;
}

/** A container that runs on a node. */
export interface Container {
  readonly namespace: string;
  readonly id: string;
  readonly image: string;
  readonly pid: number;
  readonly status: string;
}

export interface Client extends AsyncDisposable, ControlCalls, MemberCalls {
  version(options?: CallOptions): Promise<NodeVersion>;
  get(pointer: Pointer, options?: CallOptions): Promise<RemoteResource>;
  /** Sorted by id. */
  list(place: Place, options?: CallOptions): Promise<readonly RemoteResource[]>;
  /** A kind with its contents first, or with `id` one resource. Begins when it is iterated. */
  watch(place: Place & { readonly id?: string }, options?: CallOptions): AsyncIterable<RemoteEvent>;
  applyConfiguration(
    request: {
      readonly data: string;
      /** Default `auto`. */
      readonly mode?: ApplyMode;
      readonly dryRun?: boolean;
      /** How long the mode `try` lasts, ms; default a minute. */
      readonly tryTimeout?: number;
    },
    options?: CallOptions,
  ): Promise<{ readonly warnings: readonly string[]; readonly modeDetails: string }>;
  /** @param request `lifetime` in milliseconds */
  issueClientConfiguration(
    request: { readonly roles: readonly string[]; readonly lifetime: number },
    options?: CallOptions,
  ): Promise<ClientConfiguration>;
  /** The clock of the node beside that of a server that it asks; default the one that it has. */
  time(options?: CallOptions & { readonly server?: string }): Promise<NodeTime>;
  /**
   * What a check of the cluster's health says as it goes on; it fails when not all is well in time.
   *
   * @param request `timeout` in milliseconds
   */
  checkHealth(
    request: {
      readonly timeout: number;
      readonly controlPlanes: readonly string[];
      readonly workers: readonly string[];
    },
    options?: CallOptions,
  ): AsyncIterable<string>;
  /** A file, in pieces. */
  read(path: string, options?: CallOptions): AsyncIterable<Uint8Array>;
  files(query: FileQuery, options?: CallOptions): AsyncIterable<FileEntry>;
  /** A new kubeconfig for an administrator, as YAML text. */
  kubeconfig(options?: CallOptions): Promise<string>;
  containers(options?: CallOptions): Promise<readonly Container[]>;
  /** What the controllers of the node read and write. */
  dependencies(options?: CallOptions): Promise<readonly Dependency[]>;
  services(options?: CallOptions): Promise<readonly NodeService[]>;
  /** What is done with a service is answered with a sentence. */
  startService(id: string, options?: CallOptions): Promise<string>;
  stopService(id: string, options?: CallOptions): Promise<string>;
  restartService(id: string, options?: CallOptions): Promise<string>;
  /** The lines of a log. Begins when it is iterated. */
  logs(request: LogRequest, options?: CallOptions): AsyncIterable<string>;
  /** What happens, for as long as it is iterated. */
  events(request: EventsRequest, options?: CallOptions): AsyncIterable<ClientEvent>;
  /** @returns the id that the events of it carry */
  reboot(request: { readonly mode?: RebootMode }, options?: CallOptions): Promise<string>;
  /** @returns the id that the events of it carry */
  shutdown(request: { readonly force?: boolean }, options?: CallOptions): Promise<string>;
  /** @returns the id that the events of it carry */
  reset(
    request: { readonly graceful?: boolean; readonly reboot?: boolean },
    options?: CallOptions,
  ): Promise<string>;
  close(): void;
}

/**
 * Prepares to ask nodes; nothing is dialed before the first call.
 *
 * Each call fails with {@link CertificateProblemError} or {@link UnreachableError} when no endpoint
 * can be talked to, and with {@link CallFailedError} when the node answered with a failure.
 *
 * @throws {CertificateProblemError} when the client certificate cannot be good anywhere
 * @throws {EndpointInvalidError}
 * @throws {TypeError} when there is no endpoint
 */
export function connect(options: ClientOptions): Client {
  checkIdentity(options, options.clock);
  if (options.endpoints.length === 0) throw new TypeError("a client needs an endpoint");
  const connections = options.endpoints
    .map((text) => parseEndpoint(text, options.port))
    .map((endpoint) => openConnection(endpoint, options, options.clock));
  return clientOf(failover(connections), connections);
}

/** Calls to endpoints, and the end of their connections. */
export function clientOf(endpoints: Endpoints, connections: readonly Connection[]): Client {
  const close = () => connections.forEach((connection) => connection.close());
  return {
    ...resourceCalls(endpoints),
    ...machineCalls(endpoints),
    ...fileCalls(endpoints),
    ...statusCalls(endpoints),
    ...controlCalls(endpoints),
    ...memberCalls(endpoints),
    ...serviceCalls(endpoints),
    ...logCalls(endpoints),
    ...eventCalls(endpoints),
    ...lifecycleCalls(endpoints),
    close,
    [Symbol.asyncDispose]: async () => close(),
  };
}
