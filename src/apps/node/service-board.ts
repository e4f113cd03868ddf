/** What each service of the node is doing, and what may be done with it from outside. */
import type { Clock } from "#runtime";
import {
  ServiceRefusedError,
  UnknownServiceError,
  type NodeServices,
  type ServiceStateName,
  type ServiceStatus,
} from "../apid/index.ts";
import {
  ServiceStateEvent_Action as Action,
  type ServiceHealth,
} from "../rpc/gen/machine/machine.ts";
import type { EventLog } from "./event-log.ts";
import { serviceIds, type ServiceId } from "./log-book.ts";

/** How far back the events of a service go. */
const EVENTS_MAX = 64;

const actions: Readonly<Record<ServiceStateName, Action>> = {
  Initialized: Action.INITIALIZED,
  Preparing: Action.PREPARING,
  Waiting: Action.WAITING,
  Running: Action.RUNNING,
  Stopping: Action.STOPPING,
  Finished: Action.FINISHED,
  Failed: Action.FAILED,
  Skipped: Action.SKIPPED,
  Starting: Action.STARTING,
};

/** Why a service cannot be stopped. */
const indispensable: Readonly<Record<ServiceId, string>> = {
  apid: "nobody could reach the node any more",
  "controller-runtime": "nothing would be renewed any more",
  machined: "it is the node itself, which a shutdown ends",
  trustd: "no node could join any more",
};

/** The states of the services. */
export interface ServiceBoard extends NodeServices {
  /** A service that runs is healthy. */
  set(id: ServiceId, state: ServiceStateName, message: string): void;
  /**
   * Says how a service is restarted.
   *
   * @param restart its answer is what is told
   */
  onRestart(id: ServiceId, restart: () => Promise<string>): void;
  /** Calls back after each change. */
  onChange(listener: () => void): void;
}

/** Starts with all of them waiting. */
export function openServiceBoard({
  clock,
  events,
}: {
  readonly clock: Clock;
  readonly events: EventLog;
}): ServiceBoard {
  const services = new Map<string, ServiceStatus>();
  const restarts = new Map<string, () => Promise<string>>();
  const listeners: (() => void)[] = [];
  const set = (id: ServiceId, state: ServiceStateName, message: string) => {
    const at = clock.now();
    const before = services.get(id)?.events ?? [];
    const history = [...before, { state, message, at }].slice(-EVENTS_MAX);
    const isRunning = state === "Running";
    const health = { unknown: !isRunning, healthy: isRunning, lastMessage: "", lastChange: at };
    services.set(id, { id, state, events: history, health });
    const told: ServiceHealth = { ...health, lastChange: new Date(at) };
    events.publish("ServiceStateEvent", {
      service: id,
      action: actions[state],
      message,
      health: told,
    });
    for (const listener of listeners) listener();
  };
  const find = (id: string): ServiceStatus => {
    const service = services.get(id);
    if (service === undefined) throw new UnknownServiceError(id, [...services.keys()]);
    return service;
  };
  for (const id of serviceIds) set(id, "Waiting", "Waiting for the node to start");
  return {
    set,
    onRestart: (id, restart) => void restarts.set(id, restart),
    onChange: (listener) => void listeners.push(listener),
    list: () => [...services.values()],
    ...doings(find, restarts),
  };
}

/** What may be done: what runs can be restarted, and nothing can be stopped. */
function doings(
  find: (id: string) => ServiceStatus,
  restarts: ReadonlyMap<string, () => Promise<string>>,
): Pick<NodeServices, "start" | "stop" | "restart"> {
  const why = (id: string) => indispensable[id as ServiceId];
  return {
    async start(id) {
      if (find(id).state === "Running") return `Service ${JSON.stringify(id)} is running already`;
      throw new ServiceRefusedError(
        `service ${JSON.stringify(id)} cannot be started: it is ${find(id).state}, and the node ` +
          "starts it by itself when it can",
      );
    },
    async stop(id) {
      find(id);
      throw new ServiceRefusedError(`service ${JSON.stringify(id)} cannot be stopped: ${why(id)}`);
    },
    async restart(id) {
      const { state } = find(id);
      const restart = restarts.get(id);
      const name = JSON.stringify(id);
      if (restart === undefined)
        throw new ServiceRefusedError(
          id === "machined"
            ? `service ${name} cannot be restarted: it is the node itself, which a reboot restarts`
            : `service ${name} cannot be restarted: ${why(id)}`,
        );
      if (state !== "Running")
        throw new ServiceRefusedError(`service ${name} cannot be restarted: it is ${state}`);
      return restart();
    },
  };
}
