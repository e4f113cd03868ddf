/**
 * Names the node: `--hostname` first, then what the configuration says (a name, or `auto: stable`,
 * which derives one from the node's id), else the machine's own name. One that cannot stand in a
 * certificate is passed over.
 */
import { isDnsName } from "#pki";
import { ACTIVE, HostnameStatus, Identity, MachineConfig } from "#resources";
import { defineController, exclusive, maybe, one } from "#runtime";
import { derived, versionOf } from "../config-version.ts";
import { readStored } from "../stored-config.ts";

export const hostnameController = (names: {
  /** From the command line; wins over everything. */
  readonly override?: string;
  /** The machine's own. */
  readonly machine: string;
}) =>
  defineController({
    name: "network.HostnameController",
    inputs: { identity: one(Identity, "local"), config: maybe(MachineConfig, ACTIVE) },
    outputs: { status: exclusive(HostnameStatus) },

    reconcile({ inputs, held, log }) {
      const config = inputs.config && readStored(inputs.config);
      if (config === undefined && held.status.hostname) return;
      const configured = config?.hostname();
      const stable = stableName(inputs.identity.spec.nodeId);
      const choices = [
        names.override,
        configured?.kind === "static" ? configured.hostname : undefined,
        configured?.kind === "stable" ? stable : names.machine,
      ].filter((name) => name !== undefined);
      const name = choices.find(isUsable) ?? stable;
      if (name !== choices[0]) log.warn({ unusable: choices[0], name }, "hostname passed over");
      const [hostname = "", ...domain] = name.split(".");
      const status = { hostname, domainname: domain.join(".") };
      const version = inputs.config && config ? versionOf(inputs.config) : "";
      return { outputs: { status: { hostname: derived(status, version) } } };
    },
  });

/** `talos-xxx-xxx`: the same for the same node id, whatever else changes. */
const stableName = (nodeId: string): string => `talos-${nodeId.slice(0, 3)}-${nodeId.slice(3, 6)}`;

/** Whether a name can be the common name and a DNS name of a certificate (RFC 5280, ub-common-name). */
const isUsable = (name: string): boolean =>
  name.length <= 64 && isDnsName(name) && !name.startsWith("*");
