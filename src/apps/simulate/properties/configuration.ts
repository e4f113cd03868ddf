/** What the configuration says has to come to be. */
import { loadMachineConfig } from "#config";
import { ACTIVE, ApiCertificates, MachineConfig } from "#resources";
import { minutes, type Resource } from "#runtime";
import {
  eachNode,
  lasting,
  type NodeView,
  type Properties,
  type Property,
} from "#runtime/simulation";
import { factsOf, isIssuedBy, type Facts } from "./certificate.ts";
import { type Holdings, holdingsOf, type RootName } from "./holdings.ts";

/** A watch that lags, a node that stands still, and a wait for the rest may come together. */
const SETTLES_IN = minutes(25);
const RECOVERS_IN = minutes(5);

/** Made anew for each simulation. */
export const configurationProperties = (): Properties => ({
  "what the configuration says is in force": lasting(SETTLES_IN, inForce()),
});

interface Said {
  readonly names: readonly string[];
  readonly acceptedOS: readonly Facts[];
  readonly issuing: Readonly<Partial<Record<RootName, Facts>>>;
}

interface Seen {
  readonly config: Resource;
  readonly held: Holdings;
  readonly problems: readonly string[];
}

function inForce(): Property {
  const seen = new Map<string, Seen>();
  return eachNode((node) => {
    const config = node.isUp && node.isCalm(RECOVERS_IN) && node.resource(MachineConfig, ACTIVE);
    if (!config) return [];
    const held = holdingsOf(node);
    const last = seen.get(node.name);
    if (last?.config === config && last.held === held) return last.problems;
    const problems = differences(node, said(config.spec.yaml), held);
    seen.set(node.name, { config, held, problems });
    return problems;
  });
}

const known = new Map<string, Said>();
const KNOWN_MAX = 64;

/** Reading YAML takes its time, and several nodes are asked in turn. */
function said(yaml: string): Said {
  const before = known.get(yaml);
  if (before !== undefined) return before;
  if (known.size >= KNOWN_MAX) known.clear();
  const read = readSaid(yaml);
  known.set(yaml, read);
  return read;
}

function readSaid(yaml: string): Said {
  const config = loadMachineConfig(yaml);
  const [os, k8s, etcd] = [config.osRoot(), config.kubernetesRoot(), config.etcdRoot()];
  const one = (pem: { readonly crt: string } | undefined) => (pem ? factsOf(pem.crt) : undefined);
  const issuing = {
    os: one(os.issuingCA),
    k8s: one(k8s?.issuingCA),
    aggregator: one(k8s?.aggregatorCA),
    etcd: one(etcd),
  };
  return {
    names: os.certSANs,
    acceptedOS: os.acceptedCAs.map(({ crt }) => factsOf(crt)),
    issuing: Object.fromEntries(Object.entries(issuing).filter(([, facts]) => facts)),
  };
}

function differences(node: NodeView, { names, acceptedOS, issuing }: Said, held: Holdings) {
  const problems: string[] = [];
  for (const { id, root, facts } of held.leaves) {
    const authority = issuing[root];
    if (authority && !isIssuedBy(facts, authority) && !hasEnded(authority, node))
      problems.push(`${node.name}: ${id} is not under the configured authority of ${root}`);
  }
  const apid = held.leaves.find(({ id }) => id === "apid-server")?.facts;
  const has = new Set(apid?.certificate.subjectAltName?.split(", "));
  for (const name of names)
    if (apid && !has.has(`DNS:${name}`) && !has.has(`IP Address:${name}`))
      problems.push(`${node.name}: apid-server has no name ${name}`);
  const served = node.spec(ApiCertificates, "api")?.acceptedCAs ?? [];
  const accepted = new Set(served.map(({ crt }) => factsOf(crt).fingerprint));
  if (acceptedOS.some(({ fingerprint }) => apid && !accepted.has(fingerprint)))
    problems.push(`${node.name}: apid does not accept every configured authority`);
  return problems;
}

const hasEnded = ({ notBefore, notAfter }: Facts, { clock }: NodeView): boolean =>
  clock.now() < notBefore || clock.now() > notAfter;
