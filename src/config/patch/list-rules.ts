/** Where a patch does not append to a list or merge into a mapping, as it does everywhere else. */
import type { TypedMap, TypedValue } from "../yaml/read.ts";
import { isTypedMap } from "../yaml/read.ts";

/** What identifies an item of a list: the first of these keys that both items have. */
type ItemKeys = readonly string[];

/** Paths of what a patch replaces as a whole; `[]` stands for any item of a list. */
const replaced: ReadonlySet<string> = new Set([
  "cluster.network.podSubnets",
  "cluster.network.serviceSubnets",
  "cluster.apiServer.auditPolicy",
  "KubeNetworkConfig.podSubnets",
  "KubeNetworkConfig.serviceSubnets",
  "KubeAuditPolicyConfig.config",
  "NetworkRuleConfig.portSelector",
  "NetworkRuleConfig.ingress",
]);

/** Lists of which an item is merged into the one with the same key. */
const keyed: Readonly<Record<string, ItemKeys>> = {
  "machine.network.interfaces": ["interface", "deviceSelector"],
  "machine.network.interfaces[].vlans": ["vlanId"],
  "machine.kubelet.extraMounts": ["destination"],
  "cluster.apiServer.admissionControl": ["name"],
};

/** Tells whether what stands at a path is replaced as a whole. */
export const isReplaced = (path: string): boolean => replaced.has(path);

/** The place of the item that another one is to be merged into; -1 where it is to be appended. */
export function counterpart(path: string, list: readonly TypedValue[], item: TypedValue): number {
  const keys = Object.hasOwn(keyed, path) ? keyed[path] : undefined;
  if (keys === undefined || !isTypedMap(item)) return -1;
  return list.findIndex((held) => isTypedMap(held) && keys.some((key) => agree(held, item, key)));
}

const agree = (a: TypedMap, b: TypedMap, key: string): boolean =>
  a[key] !== undefined && JSON.stringify(a[key]) === JSON.stringify(b[key]);
