/** What every node that is well has, and keeps. */
import { Identity, NodeCertificate, OSRoot } from "#resources";
import { minutes, rfc3339, type DeepReadonly, type Instant, type SpecOf } from "#runtime";
import {
  eachNode,
  lasting,
  type NodeView,
  type Properties,
  type Property,
  type WorldView,
} from "#runtime/simulation";
import { addressOf, CONTROL_PLANE, isWorker } from "../../joining/cluster.ts";
import { hostsOf } from "../../joining/policies.ts";
import { factsOf, isIssuedBy, type Facts } from "../certificate.ts";
import { nodeNamed } from "./admission.ts";
import type { Ledger, Token } from "./ledger.ts";

/** After all that was wrong has ended, a node has so long to get a certificate. */
const RECOVERS_IN = minutes(40);
/** Clocks that differ by no more than this have to get along. */
const CLOCKS_DIFFER = minutes(10);

/** Made anew for each simulation. */
export const servingProperties = (ledger: Ledger, tokenIn: TokenIn): Properties => ({
  "every healthy node holds a valid certificate": lasting(RECOVERS_IN, health(ledger, tokenIn)),
  "a certificate gives way to a better one only": keeping(),
  "who was answered takes the answer before it asks for anything else": adopting(ledger),
});

/** SHA-256 over the token that a node is configured with. */
export type TokenIn = (node: NodeView) => string;

type Held = DeepReadonly<SpecOf<typeof NodeCertificate>>;

const heldBy = (node: NodeView): Held | null => node.spec(NodeCertificate, "node");

function health(ledger: Ledger, tokenIn: TokenIn): Property {
  return (world) => {
    const controlPlane = nodeNamed(world, CONTROL_PLANE);
    ledger.look(world, controlPlane);
    if (!isWell(controlPlane)) return [];
    return world.nodes
      .filter(({ name }) => isWorker(name))
      .filter((node) => isWell(node) && node.isReached(CONTROL_PLANE, RECOVERS_IN))
      .filter((node) => mayHaveOne(node, controlPlane, ledger, tokenIn(node), world.now))
      .flatMap((node) => problemsOf(node, controlPlane));
  };
}

const isWell = (node: NodeView): boolean => node.isUp && node.isCalm(RECOVERS_IN);

function problemsOf(node: NodeView, controlPlane: NodeView): readonly string[] {
  const pem = heldBy(node)?.serving?.crt;
  if (pem === undefined) return [`${node.name} has no certificate`];
  const facts = factsOf(pem);
  const now = node.clock.now();
  const roots = controlPlane.spec(OSRoot, "os")?.acceptedCAs ?? [];
  return [
    ...(isValid(facts, now)
      ? []
      : [`${node.name} has one that is not valid: ${validityOf(facts)}`]),
    ...(roots.some(({ crt }) => isIssuedBy(facts, factsOf(crt)))
      ? []
      : [`${node.name} has one of an authority that nobody accepts`]),
    ...(hostsOf(facts).includes(addressOf(node.name))
      ? []
      : [`${node.name} has one that is not for its address`]),
  ];
}

const isValid = ({ notBefore, notAfter }: Facts, now: Instant): boolean =>
  notBefore <= now && now <= notAfter;
const validityOf = ({ notBefore, notAfter }: Facts): string =>
  `${rfc3339(notBefore)} to ${rfc3339(notAfter)}`;

/** Whether it is to get one: it can renew, or has a token that is good for it, and nobody is in its place. */
function mayHaveOne(
  node: NodeView,
  controlPlane: NodeView,
  ledger: Ledger,
  token: string,
  now: Instant,
): boolean {
  const own = addressOf(node.name);
  const id = node.spec(Identity, "local")?.nodeId;
  const isTaken = [...ledger.members.values()].some(
    ({ nodeId, joined, last }) =>
      joined.from !== node.name &&
      (nodeId === id || hostsOf(last.serving).some((host) => [own, node.name].includes(host))),
  );
  if (isTaken) return false;
  return canRenew(node, controlPlane, ledger) || isGoodFor(node, controlPlane, ledger, token, now);
}

function canRenew(node: NodeView, controlPlane: NodeView, { removed, members }: Ledger): boolean {
  const pem = heldBy(node)?.identity?.crt;
  if (pem === undefined) return false;
  const { certificate, notBefore, notAfter } = factsOf(pem);
  const nodeId = /^CN=(.*)$/m.exec(certificate.subject)?.[1] ?? "";
  const now = controlPlane.clock.now();
  return (
    members.has(nodeId) &&
    !removed.has(nodeId) &&
    notBefore + CLOCKS_DIFFER < now &&
    now + CLOCKS_DIFFER < notAfter
  );
}

function isGoodFor(
  node: NodeView,
  controlPlane: NodeView,
  { tokens, machineTokens }: Ledger,
  hash: string,
  now: Instant,
): boolean {
  const shared = machineTokens.get(hash);
  if (shared !== undefined)
    return (
      shared.isInForce && (shared.replacedAt === undefined || now - shared.replacedAt < OVERLAPS)
    );
  const token = tokens.get(hash);
  if (token === undefined || !token.isMade || token.isRevoked) return false;
  const ends = token.notAfter;
  if (ends !== null && controlPlane.clock.now() + CLOCKS_DIFFER * 2 > ends) return false;
  return isBoundTo(node, token) && hasUseFor(node, token);
}

/** So long one that was replaced is good for sure. */
const OVERLAPS = minutes(60);

const isBoundTo = ({ name }: NodeView, { bounds: { dnsNames, addresses } }: Token): boolean =>
  (dnsNames.length === 0 || dnsNames.includes(name)) &&
  (addresses.length === 0 || addresses.includes(addressOf(name)));

/** One that was spent by the node's own request, the answer to which it does not hold yet, is for it. */
function hasUseFor(node: NodeView, { uses, answered }: Token): boolean {
  if (uses === 0 || answered.size < uses) return true;
  const now = node.clock.now();
  return [...answered.values()].some(
    ({ call, serving }) => call.from === node.name && isValid(serving, now),
  );
}

interface Kept {
  readonly serving: Facts;
  readonly wasCalm: boolean;
}

/** By the clock of a node that is right: what is valid does not give way to what is not, nor to nothing. */
function keeping(): Property {
  const kept = new Map<string, Kept>();
  return eachNode((node) => {
    if (!isWorker(node.name) || !node.isUp) return [];
    const pem = heldBy(node)?.serving?.crt;
    const before = kept.get(node.name);
    const now = node.clock.now();
    if (pem === undefined)
      return before === undefined ? [] : [`${node.name}: its certificate is gone`];
    const serving = factsOf(pem);
    kept.set(node.name, { serving, wasCalm: node.isCalm() });
    if (before === undefined || before.serving === serving || !node.isCalm()) return [];
    return isValid(before.serving, now) && !isValid(serving, now)
      ? [`${node.name}: a certificate that is valid gave way to one that is not`]
      : [];
  });
}

/** An answer that did not come, or was about another time, is none. */
function adopting(ledger: Ledger): Property {
  const held = new Map<string, Set<string>>();
  const last = new Map<string, { readonly fingerprint: string; readonly wanted: string }>();
  return (world: WorldView) => {
    ledger.look(world, nodeNamed(world, CONTROL_PLANE));
    for (const node of world.changed) note(node, held);
    return ledger.answers.flatMap(({ call, serving, before }) => {
      if (call.method === "Certificate" || !isWorker(call.from) || before !== undefined) return [];
      const earlier = last.get(call.from);
      last.set(call.from, { fingerprint: serving.fingerprint, wanted: call.wanted });
      const node = nodeNamed(world, call.from);
      if (earlier === undefined || earlier.wanted === call.wanted || !node.isUp) return [];
      const taken = held.get(call.from)?.has(earlier.fingerprint) ?? false;
      return taken
        ? []
        : [`${call.from}: asked for another certificate before it took the last one`];
    });
  };
}

function note(node: NodeView, held: Map<string, Set<string>>): void {
  const pem = node.isUp ? heldBy(node)?.serving?.crt : undefined;
  if (pem === undefined) return;
  const all = held.get(node.name) ?? new Set();
  held.set(node.name, all.add(factsOf(pem).fingerprint));
}
