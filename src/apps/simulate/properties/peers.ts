/** What must hold between nodes of one cluster. */
import { minutes } from "#runtime";
import type { NodeView, Properties, Property } from "#runtime/simulation";
import { isIssuedBy } from "./certificate.ts";
import { type Holdings, holdingsOf } from "./holdings.ts";

const RECOVERS_IN = minutes(5);
const PEERS_DIFFER = minutes(10);

/** Made anew for each simulation; for clusters whose roots stay. */
export const peerProperties = (): Properties => ({
  "every node accepts what its peers present": acceptance(),
});

interface Presented {
  readonly node: NodeView;
  readonly held: Holdings;
  readonly now: number;
  readonly from: number;
  readonly until: number;
}

function acceptance(): Property {
  let looked: readonly Holdings[] = [];
  return ({ nodes }) => {
    const calm = nodes
      .filter((node) => node.isUp && node.isCalm(RECOVERS_IN))
      .flatMap((node) => presentedBy(node, holdingsOf(node)));
    const untimely = isTimely(calm) ? [] : calm.flatMap((one) => untimelyFor(one, calm));
    const holdings = calm.map(({ held }) => held);
    if (holdings.every((held, index) => held === looked[index])) return untimely;
    looked = holdings;
    return [...untimely, ...calm.flatMap((one) => strangersTo(one, calm))];
  };
}

const apidOf = ({ leaves }: Holdings) => leaves.find(({ id }) => id === "apid-server")?.facts;

function presentedBy(node: NodeView, held: Holdings): Presented[] {
  const facts = apidOf(held);
  if (facts === undefined) return [];
  return [{ node, held, now: node.clock.now(), from: facts.notBefore, until: facts.notAfter }];
}

/** Whether each certificate is valid for every clock, as most of the time. */
function isTimely(calm: readonly Presented[]): boolean {
  const [first, last] = [Math.min(...calm.map(nowOf)), Math.max(...calm.map(nowOf))];
  return calm.every(({ from, until }) => from <= first && last <= until);
}

const nowOf = ({ now }: Presented): number => now;

const untimelyFor = ({ node, now }: Presented, peers: readonly Presented[]): string[] =>
  peers
    .filter((peer) => Math.abs(peer.now - now) <= PEERS_DIFFER)
    .filter(({ from, until }) => now < from || now > until)
    .map(
      (peer) => `${node.name} sees the certificate of ${peer.node.name} outside of its validity`,
    );

const strangersTo = ({ node, held }: Presented, peers: readonly Presented[]): string[] =>
  peers.flatMap((peer) => {
    const facts = apidOf(peer.held);
    return facts === undefined || held.trusted.os.some((root) => isIssuedBy(facts, root))
      ? []
      : [`${node.name} does not know the authority of ${peer.node.name}`];
  });
