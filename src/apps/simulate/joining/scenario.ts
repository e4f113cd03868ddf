/** Nodes that join a cluster by tokens, and somebody who should not. */
import { ACTIVE, MachineConfig } from "#resources";
import { loadMachineConfig } from "#config";
import { hours, type Instant } from "#runtime";
import type { FaultBounds, NodeView, Properties, ScenarioDefinition } from "#runtime/simulation";
import { admissionProperties } from "../properties/joining/admission.ts";
import { Ledger } from "../properties/joining/ledger.ts";
import { servingProperties } from "../properties/joining/serving.ts";
import { CONTROL_PLANE, STRANGER, workers as named } from "./cluster.ts";
import { machinesOf } from "./machine.ts";
import { planOf } from "./plan.ts";
import { sha256 } from "./record.ts";

/** What goes wrong between nodes. */
const networkFaults: FaultBounds = {
  partition: { rate: 1, for: hours(30) },
  messagesLost: { rate: 6, for: hours(4) },
  messagesTwice: { rate: 6, for: hours(4) },
  messagesLate: { rate: 6, for: hours(4) },
};

/** A scenario of so many workers, but for its name and what else goes wrong. */
export function joiningOf(options: {
  readonly workers: number;
  readonly start: Instant;
  readonly horizon: number;
  readonly faults: FaultBounds;
}): Pick<
  ScenarioDefinition,
  | "nodes"
  | "controllers"
  | "kinds"
  | "setup"
  | "boot"
  | "operations"
  | "script"
  | "faults"
  | "horizon"
  | "always"
  | "eventually"
  | "healWithin"
> {
  const { start, horizon } = options;
  const workers = named(options.workers);
  return {
    ...machinesOf(workers, start),
    ...planOf(workers, start, horizon),
    nodes: [CONTROL_PLANE, STRANGER, ...workers],
    horizon,
    faults: { ...options.faults, ...networkFaults },
    always: joiningProperties,
    eventually: {},
    healWithin: hours(2),
  };
}

/** Made anew for each simulation. */
export function joiningProperties(): Properties {
  const ledger = new Ledger();
  return {
    ...admissionProperties(ledger, CONTROL_PLANE),
    ...servingProperties(ledger, tokenReader()),
  };
}

/** Reading YAML takes its time, and a configuration changes seldom. */
function tokenReader(): (node: NodeView) => string {
  const read = new Map<string, string>();
  return (node) => {
    const yaml = node.spec(MachineConfig, ACTIVE)?.yaml;
    if (yaml === undefined) return "";
    let hash = read.get(yaml);
    if (hash === undefined) {
      hash = sha256(loadMachineConfig(yaml).osRoot().token);
      read.set(yaml, hash);
    }
    return hash;
  };
}
