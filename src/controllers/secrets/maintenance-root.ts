/**
 * Issues the short-lived root of a node without configuration. Unlike Talos, which keeps it until the
 * next boot, it is withdrawn once there is a configuration: what is stored here outlives a boot.
 */
import type { Authority } from "#pki";
import { ACTIVE, MachineConfig, MaintenanceRoot } from "#resources";
import { defineController, exclusive, maybe } from "#runtime";
import type { Instant } from "#runtime";
import { isUsable } from "../readable.ts";

/** Issues a maintenance authority that begins now. */
export type IssueMaintenanceRoot = (now: Instant) => Promise<Authority>;

export const maintenanceRootController = ({ issue }: { issue: IssueMaintenanceRoot }) =>
  defineController({
    name: "secrets.MaintenanceRootController",
    inputs: { config: maybe(MachineConfig, ACTIVE) },
    outputs: { root: exclusive(MaintenanceRoot) },

    async reconcile({ inputs, held, clock }) {
      if (inputs.config) return { outputs: { root: {} } };
      if (isUsable(held.root.maintenance?.ca)) return;
      const { certificate, key } = await issue(clock.now());
      const ca = { crt: certificate.pem, key: await key.pem() };
      return { outputs: { root: { maintenance: { ca } } } };
    },
  });
