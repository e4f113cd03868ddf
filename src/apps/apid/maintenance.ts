/**
 * The API of a node without configuration: anybody who reaches it may read what is no secret, and hand
 * it one configuration. It names no node and forwards nothing (talos-pki.md §8.2; talosctl-wire.md §1.5).
 */
import type { AnyResourceType, Clock, Logger } from "#runtime";
import { AccessDeniedError, lookupOf, type AccessPolicy, type Call } from "#runtime/rpc";
import type { Store } from "#runtime/store";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { formatEndpoint } from "../client/endpoint.ts";
import { opensslKey } from "../rpc/openssl-key.ts";
import { accessPolicy, sensitiveOf } from "./access-policy.ts";
import { MESSAGE_BYTES_MAX } from "./apid.ts";
import { auditing, type Auditing, type RecordEntry } from "./audit.ts";
import { apidStatuses, ListenError } from "./errors.ts";
import { grace } from "./grace.ts";
import { checkListen } from "./tls-listener.ts";
import type { Apply } from "./machine/apply-configuration.ts";
import type { Build } from "./machine/version.ts";
import { authorize, READER } from "./roles.ts";
import { routerOf, type RouterOptions } from "./router.ts";
import { servicesOf } from "./services.ts";

/** What a maintenance listener is made of. */
export interface MaintenanceOptions {
  readonly address: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** PEM, the leaf first; whoever connects knows it by its fingerprint at most. */
  readonly identity: { readonly crt: string; readonly key: string };
  readonly store: Store;
  readonly kinds: readonly AnyResourceType[];
  readonly clock: Clock;
  readonly log: Logger;
  readonly build: Build;
  readonly applyConfiguration: Apply;
  /** Keeps what is worth a line of the audit log. */
  readonly record: RecordEntry;
}

/** An open maintenance listener. */
export interface Maintenance extends AsyncDisposable {
  readonly port: number;
  /** Resolves when a configuration was taken. */
  readonly configured: Promise<unknown>;
}

const APPLY = "/machine.MachineService/ApplyConfiguration";

/**
 * Starts to serve.
 *
 * @throws {ListenError} when the address cannot be had
 */
export async function startMaintenance(options: MaintenanceOptions): Promise<Maintenance> {
  const { address, clock, identity } = options;
  const log = options.log.child({ component: "maintenance" });
  const closing = new AbortController();
  const { promise: configured, resolve: settle } = Promise.withResolvers<undefined>();
  const audit = auditOf(options);
  const server = serverOf({ ...options, log }, audit, closing.signal, () => settle(undefined));
  if (options.port !== 0) await checkListen({ address, port: options.port }); // in better words than gRPC's
  const credentials = ServerCredentials.createSsl(
    null,
    [
      {
        private_key: Buffer.from(opensslKey(identity.key)),
        cert_chain: Buffer.from(identity.crt),
      },
    ],
    false,
  );
  const port = await bind(server, options, credentials);
  const close = async () => {
    const gone = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
    closing.abort();
    await grace(gone, clock); // the answer gets to whoever sent the configuration
    server.forceShutdown();
    await audit.close();
  };
  return { port, configured, [Symbol.asyncDispose]: close };
}

function bind(
  server: Server,
  { address, port }: MaintenanceOptions,
  credentials: ServerCredentials,
): Promise<number> {
  const place = formatEndpoint({ host: address, port });
  return new Promise((resolve, reject) => {
    server.bindAsync(place, credentials, (error, bound) => {
      if (error === null) resolve(bound);
      else reject(new ListenError("ERR_LISTEN", `cannot listen on ${place}: ${error.message}`));
    });
  });
}

/** Nothing is passed on. */
const unasked = (): never => {
  throw new TypeError("a node in maintenance passes nothing on");
};
const nobody: RouterOptions["forwarder"] = { unary: unasked, stream: unasked, methodOf: unasked };

/** Everybody is a reader here, whatever certificate they have. */
const ROLES: ReadonlySet<string> = new Set([READER]);

/** Nobody is known by a certificate. */
const auditOf = ({ record, clock, kinds }: MaintenanceOptions): Auditing =>
  auditing({
    ...{ record, clock, callerAt: () => undefined, maintenance: true },
    isSensitive: sensitiveOf(kinds),
    isPassedOn: () => false,
  });

function serverOf(
  { store, kinds, log, build, applyConfiguration }: MaintenanceOptions,
  { begins, settled }: Auditing,
  closing: AbortSignal,
  settle: () => void,
): Server {
  const server = new Server({ "grpc.max_receive_message_length": MESSAGE_BYTES_MAX });
  let isTaken = false;
  const admit = (call: Call) => {
    if (isTaken) throw new AccessDeniedError("this node has a configuration: maintenance is over");
    if (call.path !== APPLY) authorize(ROLES, call.path);
  };
  const calls = { log, admit, begins, settled, statuses: apidStatuses, closing };
  const applyOnce: Apply = async (request) => {
    const taken = await applyConfiguration(request);
    if (!request.dryRun) {
      isTaken = true;
      log.info({}, "a configuration was taken: maintenance ends");
      settle();
    }
    return taken;
  };
  const allows = accessPolicy(store.core, kinds);
  const policy: AccessPolicy = async (access) => {
    await allows(access, ROLES);
  };
  const ports = {
    build,
    applyConfiguration: applyOnce,
    issueClientConfiguration: () => {
      throw new AccessDeniedError("not authorized");
    },
  };
  const state = { ...calls, core: store.core, kindOf: lookupOf(kinds), policy };
  const router = routerOf({ ...calls, routeOf: () => ({ to: "this" }), forwarder: nobody });
  for (const [service, methods] of servicesOf(router, ports, state))
    server.addService(service, methods);
  return server;
}
