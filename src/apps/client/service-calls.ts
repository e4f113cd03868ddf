/** The services of nodes, over `machine.MachineService` (talosctl-wire.md §2.6). */
import { instantOf, type Instant } from "#runtime";
import type {
  ServiceInfo,
  ServiceListResponse,
  ServiceRestartResponse,
  ServiceStartResponse,
  ServiceStopResponse,
} from "../rpc/gen/machine/machine.ts";
import type { Client } from "./client.ts";
import { callMetadata, reply } from "./connection.ts";
import type { Endpoints } from "./failover.ts";
import { only } from "./machine-calls.ts";

/** A service of a node. */
export interface NodeService {
  readonly id: string;
  readonly state: string;
  /** Oldest first. */
  readonly events: readonly {
    readonly state: string;
    readonly message: string;
    readonly at: Instant;
  }[];
  readonly health: "unknown" | "healthy" | "failing";
  /** Empty when there is nothing to say. */
  readonly healthMessage: string;
}

type ServiceCalls = Pick<Client, "services" | "startService" | "stopService" | "restartService">;

/** Makes the calls. */
export const serviceCalls = (endpoints: Endpoints): ServiceCalls => ({
  services: ({ node } = {}) =>
    endpoints.ask(node, async ({ machine }) => {
      const { services } = only(
        await reply<ServiceListResponse>((done) =>
          machine.serviceList({}, callMetadata(node), done),
        ),
      );
      return services.map(serviceOf);
    }),
  startService: (id, { node } = {}) =>
    endpoints.ask(node, async ({ machine }) => {
      const response = await reply<ServiceStartResponse>((done) =>
        machine.serviceStart({ id }, callMetadata(node), done),
      );
      return only(response).resp;
    }),
  stopService: (id, { node } = {}) =>
    endpoints.ask(node, async ({ machine }) => {
      const response = await reply<ServiceStopResponse>((done) =>
        machine.serviceStop({ id }, callMetadata(node), done),
      );
      return only(response).resp;
    }),
  restartService: (id, { node } = {}) =>
    endpoints.ask(node, async ({ machine }) => {
      const response = await reply<ServiceRestartResponse>((done) =>
        machine.serviceRestart({ id }, callMetadata(node), done),
      );
      return only(response).resp;
    }),
});

const serviceOf = ({ id, state, events, health }: ServiceInfo): NodeService => ({
  id,
  state,
  events: (events?.events ?? []).map((event) => ({
    state: event.state,
    message: event.msg,
    at: instantOf(event.ts?.getTime() ?? 0),
  })),
  health: (health?.unknown ?? true) ? "unknown" : health?.healthy ? "healthy" : "failing",
  healthMessage: health?.lastMessage ?? "",
});
