/** Lists the nodes of the cluster: this one, and the control planes that it was told of by address. */
import { canonicalAddress } from "#config";
import { fqdn, HostnameStatus, Identity, MachineType, Member, NodeAddress } from "#resources";
import { defineController, exclusive, one } from "#runtime";

/** Where Kubernetes listens on a control plane. */
const API_SERVER = { port: 6443 };

export const memberController = (options: {
  /** Control planes, by address; this node may be among them. */
  readonly controlPlanes: readonly string[];
  /** What this node calls its program. */
  readonly operatingSystem: string;
}) => {
  const { operatingSystem } = options;
  const controlPlanes = options.controlPlanes.map(canonicalAddress);
  return defineController({
    name: "cluster.MemberController",
    inputs: {
      identity: one(Identity, "local"),
      hostname: one(HostnameStatus, "hostname"),
      addresses: one(NodeAddress, "current"),
      type: one(MachineType, "machine-type"),
    },
    outputs: { members: exclusive(Member) },

    reconcile({ inputs }) {
      const { type: machineType } = inputs.type.spec;
      const own = inputs.addresses.spec.addresses;
      const self = {
        nodeId: inputs.identity.spec.nodeId,
        addresses: own,
        hostname: fqdn(inputs.hostname.spec),
        machineType,
        operatingSystem,
        controlPlane: machineType === "controlplane" ? API_SERVER : null,
      };
      const others = controlPlanes.filter((address) => !own.includes(address));
      return {
        outputs: {
          members: {
            ...Object.fromEntries(others.map((address) => [address, knownByAddress(address)])),
            [inputs.hostname.spec.hostname]: self,
          },
        },
      };
    },
  });
};

/** A control plane says more of itself when it is asked. */
const knownByAddress = (address: string) => ({
  nodeId: "",
  addresses: [address],
  hostname: address,
  machineType: "controlplane" as const,
  operatingSystem: "",
  controlPlane: API_SERVER,
});
