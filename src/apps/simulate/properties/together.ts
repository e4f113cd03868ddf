/** What one reconcile writes is there as a whole: looked at after each commit. */
import { NodeAddress, SecurityStatus } from "#resources";
import { eachNode, type NodeView, type Properties } from "#runtime/simulation";

/** Made anew for each simulation. */
export const togetherProperties = (): Properties => ({
  "outputs of one reconcile are there together": eachNode((node) =>
    node.isUp ? [...addresses(node), ...posture(node)] : [],
  ),
});

/** The six lists of addresses are written by one reconcile, once. */
const ADDRESS_LISTS = 6;

function addresses(node: NodeView): readonly string[] {
  const { length } = node.list(NodeAddress);
  return length === 0 || length === ADDRESS_LISTS
    ? []
    : [`${node.name}: ${String(length)} of ${String(ADDRESS_LISTS)} lists of addresses`];
}

/** Those of all roots are counted on at the beginning of each day: who ends together has as many left. */
function posture(node: NodeView): readonly string[] {
  if (!node.written.some(({ metadata }) => metadata.type === SecurityStatus.type)) return [];
  const left = new Map<string, number>();
  const problems: string[] = [];
  for (const { metadata, spec } of node.list(SecurityStatus)) {
    const { notAfter, daysLeft } = spec;
    if (notAfter === "" || daysLeft === undefined) continue;
    const others = left.get(notAfter) ?? daysLeft;
    left.set(notAfter, others);
    if (daysLeft !== others)
      problems.push(
        `${node.name}: ${metadata.id} has ${String(daysLeft)} days left, another that ends with it ${String(others)}`,
      );
  }
  return problems;
}
