/** Tells in events where the node stands: its stage, what it still waits for, its addresses. */
import { HostnameStatus, NodeAddress, TimeStatus, fqdn } from "#resources";
import type { Store } from "#runtime/store";
import { isDeepStrictEqual } from "node:util";
import {
  MachineStatusEvent_MachineStage as Stage,
  type MachineStatusEvent,
} from "../rpc/gen/machine/machine.ts";
import type { EventLog } from "./event-log.ts";
import type { ServiceBoard } from "./service-board.ts";

/** The stages of a node. */
export type StageName =
  "BOOTING" | "MAINTENANCE" | "RUNNING" | "REBOOTING" | "SHUTTING_DOWN" | "RESETTING";

/** Where the node stands. */
export interface MachineStatus {
  /** @param actorId whose call it came of */
  enter(stage: StageName, actorId?: string): void;
  /** Follows what a node needs to be ready, and its addresses, until what it returns is called. */
  follow(store: Store): () => void;
}

interface Needs {
  /** Empty when it is right. */
  timeProblem: string;
  hostname: string;
  addresses: readonly string[];
}

/** Starts with BOOTING; each change is told. */
export function openMachineStatus(events: EventLog, services: ServiceBoard): MachineStatus {
  const needs: Needs = { timeProblem: "it is not known yet", hostname: "", addresses: [] };
  let stage: StageName = "BOOTING";
  let told: MachineStatusEvent | undefined;
  const tell = (actorId = "") => {
    const unmetConditions = unmet(services, needs);
    const status = { ready: unmetConditions.length === 0, unmetConditions };
    const message = { stage: Stage[stage], status };
    if (isDeepStrictEqual(message, told)) return;
    told = message;
    events.publish("MachineStatusEvent", message, actorId);
  };
  services.onChange(tell.bind(undefined, ""));
  tell();
  return {
    enter(next, actorId) {
      stage = next;
      tell(actorId);
    },
    follow: (store) => followNeeds(store, needs, events, tell),
  };
}

/** By their names in Talos; what is skipped is not waited for. */
function unmet(services: ServiceBoard, needs: Needs) {
  const missing = services
    .list()
    .filter(({ state, health }) => state !== "Skipped" && !health.healthy)
    .map(({ id, state }) => `${id} is ${state}`);
  return [
    ...(needs.timeProblem === "" ? [] : [{ name: "time", reason: needs.timeProblem }]),
    ...(needs.addresses.length > 0 ? [] : [{ name: "network", reason: "there is no address" }]),
    ...(missing.length === 0 ? [] : [{ name: "services", reason: missing.join(", ") }]),
  ];
}

function followNeeds(store: Store, needs: Needs, events: EventLog, tell: () => void): () => void {
  const tellAddresses = () => {
    const { hostname, addresses } = needs;
    if (hostname !== "" && addresses.length > 0)
      events.publish("AddressEvent", { hostname, addresses: [...addresses] });
    tell();
  };
  const following = [
    store.watch(HostnameStatus, "hostname").subscribe((event) => {
      if (event.type !== "created" && event.type !== "updated") return;
      needs.hostname = fqdn(event.resource.spec);
      tellAddresses();
    }),
    store.watch(NodeAddress, "current").subscribe((event) => {
      if (event.type !== "created" && event.type !== "updated") return;
      needs.addresses = event.resource.spec.addresses;
      tellAddresses();
    }),
    store.watch(TimeStatus, "node").subscribe((event) => {
      if (event.type !== "created" && event.type !== "updated") return;
      const { synced, source } = event.resource.spec;
      needs.timeProblem = synced ? "" : `the clock is not synchronised, says ${source}`;
      tell();
    }),
  ];
  return () => {
    for (const subscription of following) subscription.unsubscribe();
  };
}
