/** What a person does to a cluster: applies another configuration, as `apply-config` would. */
import { parseAllDocuments } from "yaml";
import {
  bundleFromMachineConfig,
  generateMachineConfigs,
  issueRoot,
  loadMachineConfig,
  type MachineConfig as Config,
  type SecretsBundle,
} from "#config";
import { authorityProfiles, type KeyedPem, type RootName } from "#pki";
import { ACTIVE, CertificateStatus, MachineConfig, SecurityStatus } from "#resources";
import type { Operator } from "#runtime/simulation";
import { applyConfiguration } from "../node/apply-configuration.ts";
import { keysOf, surroundings } from "./node.ts";

/** What of a configuration changes here. */
interface Plan {
  readonly bundle: SecretsBundle;
  /** Names besides those that every node has. */
  readonly sans: readonly string[];
  /** Authorities that are trusted beside the issuing one. */
  readonly accepted: { readonly os: readonly string[]; readonly k8s: readonly string[] };
}

/** Gives the node other names. */
export async function renames(operator: Operator): Promise<void> {
  const count = operator.random.below(4);
  const sans = Array.from({ length: count }, () => `n${String(operator.random.below(8))}.example`);
  await change(operator, (plan) => ({ ...plan, sans: [...new Set(sans)] }));
}

/** What stands in a status that somebody wrote by hand. */
export const MEDDLED = "written by hand";

/** Writes what belongs to a controller; the store refuses. */
export async function meddles({ store }: Operator): Promise<void> {
  await store.modify(CertificateStatus, "apid-server", (draft) => {
    draft.why = MEDDLED;
  });
}

/** Replaces what `securitystatus` says will end: one step of one root at a time, as there is time. */
export async function looksAfterRoots(operator: Operator): Promise<void> {
  if (!operator.isClockRight()) return; // a person would not go by this clock
  for (const [name, root] of Object.entries(rootsInStatus)) {
    const status = await operator.store.get(SecurityStatus, name);
    const ends = status?.spec.findings.some(({ reason }) => reason === "RootEnds") ?? false;
    const isUnderWay = operator.files.get(nextOf(root)) !== undefined;
    if (ends || isUnderWay) await replaces(root, operator);
  }
}

/** Replaces some root, whether or not it ends: the next step of it. */
export async function replacesSomeRoot(operator: Operator): Promise<void> {
  const all = Object.values(rootsInStatus);
  const begun = all.find((root) => operator.files.get(nextOf(root)) !== undefined);
  const root = begun ?? all[operator.random.below(all.length)];
  if (root !== undefined) await replaces(root, operator);
}

/** Replaces every root without accepting the old one: nobody is left who would need it. */
export async function replacesAllRoots(operator: Operator): Promise<void> {
  if (!operator.isClockRight()) return;
  const fresh: [string, KeyedPem][] = [];
  for (const root of Object.values(rootsInStatus))
    fresh.push([inBundle[root], await newRoot(root, operator)]);
  await change(operator, ({ bundle, ...plan }) => ({
    ...plan,
    bundle: { ...bundle, certs: { ...bundle.certs, ...Object.fromEntries(fresh) } },
    accepted: { os: [], k8s: [] },
  }));
}

type Root = Exclude<RootName, "maintenance">;

/** By the ids of `securitystatus`. */
const rootsInStatus: Readonly<Record<string, Root>> = {
  os: "os",
  k8s: "kubernetes",
  etcd: "etcd",
  aggregator: "aggregator",
};

const inBundle = {
  os: "os",
  kubernetes: "k8s",
  etcd: "etcd",
  aggregator: "k8sAggregator",
} as const satisfies Record<Root, keyof SecretsBundle["certs"]>;

const nextOf = (root: Root): string => `operator/next-${root}`;

const newRoot = (root: Root, operator: Operator): Promise<KeyedPem> =>
  issueRoot(authorityProfiles[root], {
    keys: keysOf(operator),
    random: operator.random,
    now: operator.clock.now(),
  });

/**
 * The next step. Where the configuration has a place for accepted authorities the new one is accepted
 * first, then it issues while the old one is accepted, then the old one is dropped.
 */
async function replaces(root: Root, operator: Operator): Promise<void> {
  const place = inBundle[root];
  if (place !== "os" && place !== "k8s") {
    const fresh = await newRoot(root, operator);
    await change(operator, (plan) => withRoot(plan, place, fresh));
    return;
  }
  const { files } = operator;
  const known = files.get(nextOf(root));
  const next =
    known === undefined ? await newRoot(root, operator) : (JSON.parse(known) as KeyedPem);
  files.set(nextOf(root), JSON.stringify(next));
  await change(operator, (plan) => {
    const issuing = plan.bundle.certs[place];
    const accepted = plan.accepted[place];
    const accepting = (list: readonly string[]) => ({ ...plan.accepted, [place]: list });
    if (issuing.crt === next.crt) {
      files.delete(nextOf(root));
      return { ...plan, accepted: accepting([]) };
    }
    if (!accepted.includes(next.crt)) return { ...plan, accepted: accepting([next.crt]) };
    return { ...withRoot(plan, place, next), accepted: accepting([issuing.crt]) };
  });
}

const withRoot = (plan: Plan, place: keyof SecretsBundle["certs"], fresh: KeyedPem): Plan => ({
  ...plan,
  bundle: { ...plan.bundle, certs: { ...plan.bundle.certs, [place]: fresh } },
});

async function change(operator: Operator, edit: (plan: Plan) => Plan): Promise<void> {
  const stored = await operator.store.get(MachineConfig, ACTIVE);
  if (stored === undefined) return;
  const text = written(edit(planOf(loadMachineConfig(stored.spec.yaml))), operator.name);
  if (text === stored.spec.yaml) return;
  await applyConfiguration(text, { ...surroundings(operator), dryRun: false });
}

function planOf(config: Config): Plan {
  const bundle = bundleFromMachineConfig(config);
  const others = (list: readonly { readonly crt: string }[], issuing: KeyedPem) =>
    list.map(({ crt }) => crt).filter((crt) => crt !== issuing.crt);
  const os = config.osRoot();
  return {
    bundle,
    sans: os.certSANs,
    accepted: {
      os: others(os.acceptedCAs, bundle.certs.os),
      k8s: others(config.kubernetesRoot()?.acceptedCAs ?? [], bundle.certs.k8s),
    },
  };
}

function written({ bundle, sans, accepted }: Plan, name: string): string {
  const { controlplane } = generateMachineConfigs({
    clusterName: name,
    endpoint: "https://127.0.0.1:6443",
    bundle,
    additionalSans: [...sans],
    talosVersion: "v1.13",
  });
  const documents = parseAllDocuments(controlplane);
  const [first] = documents;
  const inBase64 = (crt: string) => ({ crt: Buffer.from(crt).toString("base64") });
  first?.setIn(["machine", "acceptedCAs"], accepted.os.map(inBase64));
  first?.setIn(["cluster", "acceptedCAs"], accepted.k8s.map(inBase64));
  return documents.map(String).join("---\n");
}
