/** A thousand workloads that all begin in one second, each with a leaf of 24 hours. */
import { authorityProfiles, issueAuthority, keepLeaf, leafIssuer, leafProfiles } from "#pki";
import {
  type Controller,
  defineController,
  defineResource,
  each,
  exclusive,
  hours,
  one,
  type Instant,
} from "#runtime";
import type { Machine, Operator, Properties, Property } from "#runtime/simulation";
import { z } from "zod";
import { keysOf } from "./node.ts";

const pem = z.object({ crt: z.string(), key: z.string() });

const Root = defineResource({
  type: "HerdRoots.simulation.trustplane.dev",
  namespace: "herd",
  sensitivity: "sensitive",
  spec: pem,
});
const Workload = defineResource({
  type: "Workloads.simulation.trustplane.dev",
  namespace: "herd",
  spec: z.object({ name: z.string() }),
});
const WorkloadLeaf = defineResource({
  type: "WorkloadLeaves.simulation.trustplane.dev",
  namespace: "herd",
  sensitivity: "sensitive",
  spec: pem,
});

/** How many there are. */
const HERD = 1000;

export const herd = {
  kinds: [Root, Workload, WorkloadLeaf],
  controllers: (machine: Machine): readonly Controller[] => [workloadController(machine)],
  async setup(operator: Operator): Promise<void> {
    const { clock, random, store } = operator;
    const issuing = { keys: keysOf(operator), random, now: clock.now() };
    const root = await issueAuthority(authorityProfiles.os, issuing);
    const spec = { crt: root.certificate.pem, key: await root.key.pem() };
    await store.create(Root, "root", spec);
    for (let i = 0; i < HERD; i++)
      await store.create(Workload, `w${String(i).padStart(4, "0")}`, { name: `w${String(i)}` });
  },
};

const workloadController = (machine: Machine) => {
  const issueLeaf = leafIssuer({ keys: keysOf(machine), random: machine.random });
  return defineController({
    name: "simulation.WorkloadController",
    inputs: { workload: each(Workload), root: one(Root, "root") },
    outputs: { leaf: exclusive(WorkloadLeaf) },

    async reconcile({ item, inputs, held, clock }) {
      const now = clock.now();
      const { name } = inputs.workload.spec;
      const request = {
        profile: leafProfiles.apidClient,
        authority: inputs.root.spec,
        commonName: name,
        now,
      };
      const kept = await keepLeaf({ held: held.leaf[item], request, issueLeaf });
      return { outputs: { leaf: { [item]: kept.leaf } }, wakeAt: kept.renewAt };
    },
  });
};

const FIRST_HOUR = 24;
const LAST_HOUR = 240;
const BUSIEST = 2;

/** From the second to the tenth day the busiest hour issues at most twice of what the mean hour does. */
export const herdProperties = (start: Instant): Properties => ({
  "renewals are spread over the hours": spread(start),
});

function spread(start: Instant): Property {
  const counts: number[] = [];
  let isOver = false;
  return ({ written, now }) => {
    const hour = Math.floor((now - start) / hours(1));
    const issued = written.filter(({ metadata }) => metadata.type === WorkloadLeaf.type).length;
    counts[hour] = (counts[hour] ?? 0) + issued;
    if (isOver || hour < LAST_HOUR) return true;
    isOver = true;
    return crowds(counts.slice(FIRST_HOUR, LAST_HOUR));
  };
}

function crowds(counts: readonly (number | undefined)[]): string[] {
  const filled = Array.from(counts, (count = 0) => count);
  const mean = filled.reduce((sum, count) => sum + count, 0) / filled.length;
  const busiest = Math.max(...filled);
  return mean > 0 && busiest <= BUSIEST * mean
    ? []
    : [`the busiest hour issued ${String(busiest)}, the mean one ${mean.toFixed(1)}`];
}
