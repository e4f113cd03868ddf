/**
 * Says where control planes are: at the cluster's endpoint, and where those members are that are control
 * planes by the cluster's own record (talos-pki.md §7). A name that cannot be resolved just now is where
 * it was before. Nobody needs that on a control plane.
 */
import { canonicalAddress, isAddress, sortAddresses } from "#config";
import { Endpoint, Identity, KubeletSecrets, MachineType, Member, MemberRecord } from "#resources";
import {
  after,
  all,
  CodedError,
  type DeepReadonly,
  defineController,
  exclusive,
  gate,
  maybe,
  minutes,
  type Resource,
  type SpecOf,
} from "#runtime";

/** The addresses that a name stands for. */
export type ResolveHost = (name: string) => Promise<readonly string[]>;

/** The name in the cluster's endpoint stands for nothing. */
export class EndpointUnresolvedError extends CodedError {
  readonly code = "ERR_ENDPOINT_UNRESOLVED";
}

/** How long an answer is believed. */
const RESOLVED_FOR = minutes(5);

type Place = DeepReadonly<SpecOf<typeof Endpoint>>;

export const endpointController = ({ resolveHost }: { readonly resolveHost: ResolveHost }) =>
  defineController({
    name: "k8s.EndpointController",
    inputs: {
      type: gate(MachineType, "machine-type"),
      kubelet: maybe(KubeletSecrets, "kubelet"),
      identity: maybe(Identity, "local"),
      members: all(Member),
      records: all(MemberRecord),
    },
    outputs: { endpoints: exclusive(Endpoint) },

    async reconcile({ inputs, held, clock }) {
      if (inputs.type.spec.type !== "worker") return { outputs: { endpoints: {} } };
      const discovery = discovered(inputs);
      const host = hostOf(inputs.kubelet?.spec.endpoint ?? "");
      if (host === "") return { outputs: { endpoints: { discovery } } };
      if (isAddress(host)) {
        const controlplane = { addresses: [canonicalAddress(host)], hosts: [] };
        return { outputs: { endpoints: { controlplane, discovery } } };
      }
      try {
        const addresses = sortAddresses((await resolveHost(host)).filter(isAddress));
        const controlplane = { addresses, hosts: [host] };
        const wakeAt = after(clock.now(), RESOLVED_FOR);
        return { outputs: { endpoints: { controlplane, discovery } }, wakeAt };
      } catch (cause) {
        const known = held.endpoints.controlplane;
        const controlplane = known?.hosts.includes(host) ? known : { addresses: [], hosts: [host] };
        const reason = cause instanceof Error ? cause.message : String(cause);
        const failure = new EndpointUnresolvedError(
          `the host ${host} of the cluster's endpoint cannot be resolved: ${reason}`,
          { cause },
        );
        return { outputs: { endpoints: { controlplane, discovery } }, failure };
      }
    },
  });

/** Empty where there is none. */
const hostOf = (url: string): string =>
  URL.canParse(url) ? new URL(url).hostname.replace(/^\[(.*)\]$/, "$1") : "";

/** Undefined as long as nobody is known. */
function discovered(inputs: {
  readonly identity: Resource<SpecOf<typeof Identity>> | null;
  readonly members: readonly Resource<SpecOf<typeof Member>>[];
  readonly records: readonly Resource<SpecOf<typeof MemberRecord>>[];
}): Place | undefined {
  const own = inputs.identity?.spec.nodeId;
  const others = [
    ...inputs.members.filter(({ spec }) => spec.nodeId !== own).map(({ spec }) => spec),
    ...inputs.records.filter(({ metadata }) => metadata.id !== own).map(({ spec }) => spec),
  ].filter(({ machineType }) => machineType === "controlplane");
  const addresses = sortAddresses(others.flatMap((member) => member.addresses.filter(isAddress)));
  return addresses.length === 0 ? undefined : { addresses, hosts: [] };
}
