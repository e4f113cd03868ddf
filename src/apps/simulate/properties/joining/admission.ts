/** What nobody gets, whoever asks and whatever goes wrong meanwhile. */
import { IssuedCertificate } from "#resources";
import type { SpecOf } from "#runtime";
import type { NodeView, Properties, Property, WorldView } from "#runtime/simulation";
import { hostsOf, policies, type Use } from "../../joining/policies.ts";
import { ownerOf } from "../../joining/cluster.ts";
import type { Bounds } from "../../joining/record.ts";
import type { Facts } from "../certificate.ts";
import type { Answer, Ledger } from "./ledger.ts";

/** Made anew for each simulation. */
export function admissionProperties(ledger: Ledger, controlPlane: string): Properties {
  const judged =
    (judge: (answer: Answer, world: WorldView) => readonly string[]): Property =>
    (world) => {
      ledger.look(world, nodeNamed(world, controlPlane));
      return ledger.answers.flatMap((answer) =>
        judge(answer, world).map((problem) => `${nameOf(answer)} ${problem}`),
      );
    };
  return {
    "no token that is wrong, ended, revoked or spent by another request gets a certificate": judged(
      (answer) => [...objections(answer), ...overspent(answer, ledger)],
    ),
    "no token is good for more joins than it was made for": uses(ledger, controlPlane),
    "who repeats a request gets what it was answered": judged(repeats),
    "nobody gets a name of another member, or its id": judged((answer, { nodes }) => [
      ...otherIds(answer),
      ...namesOfOthers(
        answer,
        ledger,
        nodes.map(({ name }) => name),
      ),
    ]),
    "no certificate breaks the policy in force when it was issued": judged(breaches),
    "what a token is bound to bounds its member for good": judged((answer) =>
      outsideBounds(answer, ledger),
    ),
  };
}

export function nodeNamed({ nodes }: WorldView, name: string): NodeView {
  const node = nodes.find((one) => one.name === name);
  if (node === undefined) throw new TypeError(`there is no node ${name}`);
  return node;
}

const nameOf = ({ call }: Answer): string =>
  `${call.method} of ${call.from}${call.nodeId && ` (${call.nodeId.slice(0, 6)})`}:`;

const objections = ({ objection }: Answer): readonly string[] =>
  objection === undefined ? [] : [`was answered for ${objection}`];

function overspent({ call }: Answer, { tokens }: Ledger): readonly string[] {
  const token = tokens.get(call.token);
  if (token === undefined || token.uses === 0 || token.answered.size <= token.uses) return [];
  return [
    `is the ${String(token.answered.size)}th that a token of ${String(token.uses)} was good for`,
  ];
}

/** Also of answers that were never heard: what is stored counts. */
function uses(ledger: Ledger, controlPlane: string): Property {
  const issued = new Map<string, Set<string>>();
  return (world) => {
    const node = nodeNamed(world, controlPlane);
    ledger.look(world, node);
    for (const { metadata, spec } of node.written) {
      if (metadata.type !== IssuedCertificate.type) continue;
      const { token, profile, nodeId } = spec as SpecOf<typeof IssuedCertificate>;
      if (token === "" || profile !== "nodeServer") continue;
      // A node that comes again with the token that it came with is none more.
      const nodes = issued.get(token) ?? new Set();
      issued.set(token, nodes.add(nodeId === "" ? metadata.id : nodeId));
    }
    return [...ledger.tokens.values()].flatMap(({ id, uses: most }) => {
      const count = issued.get(id)?.size ?? 0;
      return most > 0 && count > most
        ? [
            `${String(count)} nodes have got certificates by the token ${id}, which was good for ${String(most)}`,
          ]
        : [];
    });
  };
}

/** As long as that has not ended. */
function repeats({ call, serving, identity, before }: Answer): readonly string[] {
  if (before === undefined || call.method === "Certificate") return [];
  if (call.at >= before.serving.notAfter) return [];
  const isSame =
    serving.fingerprint === before.serving.fingerprint &&
    identity?.fingerprint === before.identity?.fingerprint;
  return isSame ? [] : ["was answered with another certificate than before"];
}

const EVERYBODYS: ReadonlySet<string> = new Set(["127.0.0.1", "::1", "0:0:0:0:0:0:0:1"]);

const isHeldBy = (answer: Answer, host: string): boolean => hostsOf(answer.serving).includes(host);

/** Who has joined is itself for as long as it is on record. */
function otherIds({ call, member }: Answer): readonly string[] {
  if (member === undefined || call.method === "Certificate") return [];
  const { from } = member.joined;
  return from === call.from ? [] : [`got certificates as the member ${from}`];
}

/** Who comes first has a name; a control plane has its own from the beginning. */
function namesOfOthers(
  { call, serving, before }: Answer,
  { members }: Ledger,
  names: readonly string[],
): readonly string[] {
  if (before !== undefined) return [];
  return hostsOf(serving)
    .filter((host) => !EVERYBODYS.has(host))
    .flatMap((host) => {
      const owner = ownerOf(names, host);
      if (owner?.startsWith("cp-")) return [`got ${host}, which is a control plane's`];
      const holder = [...members.values()].find(
        ({ nodeId, last }) => nodeId !== call.nodeId && isHeldBy(last, host),
      );
      return holder === undefined ? [] : [`got ${host} of ${holder.joined.from}`];
    });
}

function breaches({ serving, identity, policies: inForce, before }: Answer): readonly string[] {
  if (before !== undefined) return [];
  const issued: [Facts | undefined, Use][] = [
    [serving, "serving"],
    [identity, "identity"],
  ];
  return issued.flatMap(([facts, use]) => {
    if (facts === undefined) return [];
    const verdicts = [...inForce].map((name) => policies[name]?.breaches(facts, use) ?? []);
    return verdicts.some(({ length }) => length === 0)
      ? []
      : (verdicts[0] ?? []).map((problem) => `got a certificate for ${use} although ${problem}`);
  });
}

function outsideBounds(
  { call, serving, before, member }: Answer,
  ledger: Ledger,
): readonly string[] {
  if (before !== undefined) return [];
  const token = ledger.tokens.get(
    call.method === "Renew" ? (member?.joined.token ?? "") : call.token,
  );
  if (token === undefined) return [];
  return hostsOf(serving)
    .filter((host) => !EVERYBODYS.has(host) && !isWithin(host, token.bounds))
    .map((host) => `got ${host}, to which its token is not bound`);
}

/** The tokens of these clusters are bound to single names and addresses. */
const isWithin = (host: string, { dnsNames, addresses }: Bounds): boolean => {
  const list = /^[0-9.]+$|:/.test(host) ? addresses : dnsNames;
  return list.length === 0 || list.includes(host);
};
