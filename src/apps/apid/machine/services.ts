/** `MachineService/ServiceList`, `ServiceStart`, `ServiceStop`, `ServiceRestart` (talosctl-wire.md §2.6). */
import type { Instant } from "#runtime";
import {
  ServiceList,
  ServiceRestart,
  ServiceStart,
  ServiceStop,
  type MachineServiceServer,
  type ServiceInfo,
} from "../../rpc/gen/machine/machine.ts";
import type { Router } from "../router.ts";

/** The states of a service, in the words of Talos. */
export type ServiceStateName =
  | "Initialized"
  | "Preparing"
  | "Waiting"
  | "Running"
  | "Stopping"
  | "Finished"
  | "Failed"
  | "Skipped"
  | "Starting";

/** Whether a service does its work, where that is known. */
export interface ServiceHealth {
  readonly unknown: boolean;
  readonly healthy: boolean;
  readonly lastMessage: string;
  readonly lastChange: Instant;
}

/** A service as it is now, and how it came to be so. */
export interface ServiceStatus {
  readonly id: string;
  readonly state: ServiceStateName;
  /** Oldest first. */
  readonly events: readonly {
    readonly state: ServiceStateName;
    readonly message: string;
    readonly at: Instant;
  }[];
  readonly health: ServiceHealth;
}

/**
 * The services of a node. What is done with one is answered with a sentence.
 *
 * @throws {UnknownServiceError} {@link ServiceRefusedError} for what cannot be done with a service
 */
export interface NodeServices {
  list(): readonly ServiceStatus[];
  start(id: string): Promise<string>;
  stop(id: string): Promise<string>;
  restart(id: string): Promise<string>;
}

/** Serves them. */
export const servicesMethods = (
  router: Router,
  services: NodeServices,
): Pick<
  MachineServiceServer,
  "serviceList" | "serviceStart" | "serviceStop" | "serviceRestart"
> => ({
  serviceList: router.unary(ServiceList, () => ({ services: services.list().map(infoOf) })),
  serviceStart: router.unary(ServiceStart, async ({ id }: { id: string }) => ({
    resp: await services.start(id),
  })),
  serviceStop: router.unary(ServiceStop, async ({ id }: { id: string }) => ({
    resp: await services.stop(id),
  })),
  serviceRestart: router.unary(ServiceRestart, async ({ id }: { id: string }) => ({
    resp: await services.restart(id),
  })),
});

/** Clients fail on a service without events or health. */
const infoOf = ({ id, state, events, health }: ServiceStatus): ServiceInfo => ({
  id,
  state,
  events: {
    events: events.map((event) => ({
      msg: event.message,
      state: event.state,
      ts: new Date(event.at),
    })),
  },
  health: { ...health, lastChange: new Date(health.lastChange) },
});
