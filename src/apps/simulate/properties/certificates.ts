/** What must hold of every certificate that a node serves. */
import { days, type Instant, minutes, rfc3339 } from "#runtime";
import {
  eachNode,
  lasting,
  type NodeView,
  type Properties,
  type Property,
} from "#runtime/simulation";
import { SIGNED } from "../node.ts";
import { type Facts, isIssuedBy } from "./certificate.ts";
import { type Holdings, holdingsOf, type Leaf } from "./holdings.ts";

/** Two clocks that differ by no more than this have to get along. */
const PEERS_DIFFER = minutes(10);
/** After trouble has ended, a node has so long to be well again. */
const RECOVERS_IN = minutes(5);
/** What one event sets off is over within its instant. */
const AT_ONCE = 0;
/** A change of the configuration may wait for a watch that lags, and a node that stands still. */
const SETTLES_IN = minutes(25);

/** Made anew for each simulation. */
export function certificateProperties(): Properties {
  return {
    "what a node serves is valid, as it and its peers see the time": lasting(AT_ONCE, validity()),
    "every chain leads to an authority that is trusted": lasting(SETTLES_IN, chains()),
    "every leaf that a node needs is there": lasting(SETTLES_IN, presence()),
    "every leaf has its own key": keys(),
    "no two certificates have one serial number": serials(),
  };
}

const named = (node: NodeView, { id }: Leaf, problem: string) => `${node.name}: ${id} ${problem}`;

/** Nobody can renew what ends with its root: that is for whoever replaces the root. */
const endsWithRoot = (leaf: Leaf, { issuing }: Holdings): boolean => {
  const root = issuing[leaf.root];
  return root !== undefined && leaf.facts.notAfter >= root.notAfter;
};

function validity(): Property {
  const windows = new WeakMap<Holdings, { readonly from: number; readonly until: number }>();
  return eachNode((node) => {
    if (!node.isUp || !node.isCalm(RECOVERS_IN)) return [];
    const held = holdingsOf(node);
    let window = windows.get(held);
    if (window === undefined) {
      const ending = held.leaves.filter((leaf) => !endsWithRoot(leaf, held));
      window = {
        from: Math.max(...held.leaves.map(({ facts }) => facts.notBefore)),
        until: Math.min(...ending.map(({ facts }) => facts.notAfter)),
      };
      windows.set(held, window);
    }
    const now = node.clock.now();
    if (window.from <= now - PEERS_DIFFER && now + PEERS_DIFFER <= window.until) return [];
    return held.leaves.flatMap((leaf) => invalid(node, leaf, held, now));
  });
}

function invalid(node: NodeView, leaf: Leaf, held: Holdings, now: Instant): string[] {
  const { notBefore, notAfter } = leaf.facts;
  if (notBefore > now - PEERS_DIFFER)
    return [named(node, leaf, `is not valid yet: it begins on ${rfc3339(notBefore)}`)];
  if (notAfter < now + PEERS_DIFFER && !endsWithRoot(leaf, held))
    return [named(node, leaf, `is not valid any more, or not for long: ${rfc3339(notAfter)}`)];
  return [];
}

/** Looks when something changed, and at everything once a day. */
function chains(): Property {
  const seen = new Map<string, Chained>();
  return eachNode((node, { now }) => {
    if (!node.isUp || !node.isCalm(RECOVERS_IN)) return [];
    const held = holdingsOf(node);
    const day = dayOf(now);
    const last = seen.get(node.name);
    if (last?.held === held && last.day === day) return [...last.problems.values()].flat();
    const isNew = (leaf: Leaf) =>
      last?.held.leaves.every(({ facts }) => facts !== leaf.facts) ?? true;
    const isDue = last?.day !== day || !isSameTrust(last.held, held);
    const problemsOf = (leaf: Leaf) =>
      isDue || isNew(leaf) ? unchained(node, leaf, held) : (last.problems.get(leaf.id) ?? []);
    const problems = new Map(held.leaves.map((leaf) => [leaf.id, problemsOf(leaf)]));
    seen.set(node.name, { held, day, problems });
    return [...problems.values()].flat();
  });
}

interface Chained {
  readonly held: Holdings;
  readonly day: number;
  /** By leaf: what was wrong with it stays wrong until it is looked at again. */
  readonly problems: ReadonlyMap<string, readonly string[]>;
}

const isSameTrust = (a: Holdings, b: Holdings): boolean =>
  Object.entries(a.trusted).every(([root, list]) => {
    const others = b.trusted[root as keyof typeof b.trusted];
    return list.length === others.length && list.every((facts, index) => facts === others[index]);
  });

function unchained(node: NodeView, leaf: Leaf, held: Holdings): string[] {
  const now = node.clock.now();
  const isInForce = ({ notBefore, notAfter }: Facts) => notBefore <= now && now <= notAfter;
  const issuing = held.issuing[leaf.root];
  if (issuing !== undefined && !isInForce(issuing)) return []; // all that is under it has ended
  if (issuing !== undefined && !isIssuedBy(leaf.facts, issuing))
    return [named(node, leaf, `is not under the authority that issues for ${leaf.root}`)];
  const isTrusted = held.trusted[leaf.root].some(
    (authority) => isInForce(authority) && isIssuedBy(leaf.facts, authority),
  );
  return isTrusted ? [] : [named(node, leaf, `leads to no trusted authority of ${leaf.root}`)];
}

/** Of a control plane. */
const LEAVES = 14;

const presence = (): Property =>
  eachNode((node) => {
    if (!node.isUp || !node.isCalm(RECOVERS_IN)) return [];
    const { leaves } = holdingsOf(node);
    return leaves.length === LEAVES
      ? []
      : [`${node.name}: ${String(leaves.length)} of ${String(LEAVES)} leaves are there`];
  });

/** Of each leaf, as soon as it is held. */
function keys(): Property {
  const looked = new Map<string, Holdings>();
  return eachNode((node) => {
    if (!node.isUp) return [];
    const held = holdingsOf(node);
    if (looked.get(node.name) === held) return [];
    looked.set(node.name, held);
    return held.leaves
      .filter(({ hasKey }) => !hasKey())
      .map((leaf) => named(node, leaf, "has the key of another"));
  });
}

const dayOf = (now: Instant): number => Math.floor(now / days(1));

/** Of all that was ever signed, whether or not it was stored: by whom does not matter, they are random. */
function serials(): Property {
  const first = new Map<string, string>();
  return eachNode((node) =>
    node.noted.flatMap(({ name, value }) => {
      if (!SIGNED.includes(name)) return [];
      const [digest = "", serial = ""] = value.split(" ");
      const before = first.get(serial) ?? digest;
      first.set(serial, before);
      return before === digest || serial === ""
        ? []
        : [`${node.name}: two certificates have the serial number ${serial}`];
    }),
  );
}
