/**
 * Which file holds what. Authorities' keys stay out of the file system, but for the one that
 * kube-controller-manager signs with. An authority's file holds every accepted one, issuing first.
 */
import { readPem, readPrivateKey, signedBy } from "#pki";
import {
  authorityOf,
  type Holdings,
  holdingsOf,
  inventory,
  isKeyed,
  nothingHeld,
  type Root,
  trustedUnder,
} from "./inventory.ts";
import { certificateIn, isUsable, readable, remembered } from "./readable.ts";

/** File name → contents. */
export type Files = Readonly<Record<string, string>>;
/** The public key, PEM SPKI, of a private one. */
export type PublicKeyOf = (pem: string) => Promise<string>;

interface Layout {
  /** What it is made of; the rest of what a node holds is of no concern to it. */
  readonly of: readonly (keyof Holdings)[];
  /** Ids of the leaves that belong into the directory. */
  readonly leaves: readonly string[];
  /** What is there to be written now. */
  readonly files: (held: Holdings, publicKeyOf: PublicKeyOf) => Promise<Files>;
}

/** Directories below the PKI directory. */
export const directories = {
  talos: {
    of: ["os", "api", "node", "trustd", "accepted"],
    leaves: ["apid-server", "apid-client", "trustd-server"],
    files: async (held) => ({
      ...authorityFile("ca.crt", "os", held),
      ...pair("apid", held.api?.spec.server),
      ...pair("apid-client", held.api?.spec.client),
      ...pair("trustd", held.trustd?.spec.server),
    }),
  },
  kubernetes: {
    of: ["k8s", "kubeconfigs", "accepted"],
    leaves: ["admin", "controller-manager", "scheduler"],
    files: async ({ kubeconfigs }) =>
      kubeconfigs
        ? {
            ...text("admin.conf", kubeconfigs.spec.adminKubeconfig),
            ...text("controller-manager.conf", kubeconfigs.spec.controllerManagerKubeconfig),
            ...text("scheduler.conf", kubeconfigs.spec.schedulerKubeconfig),
          }
        : noFiles,
  },
  "kubernetes/pki": {
    of: ["k8s", "etcdRoot", "etcd", "dynamic", "accepted"],
    leaves: [
      "kube-apiserver",
      "apiserver-kubelet-client",
      "front-proxy-client",
      "etcd-apiserver-client",
    ],
    files: kubernetesFiles,
  },
  "kubernetes/pki/etcd": {
    of: ["etcdRoot", "etcd", "accepted"],
    leaves: ["etcd-server", "etcd-peer", "etcd-admin"],
    files: async (held) => ({
      ...authorityFile("ca.crt", "etcd", held),
      ...pair("server", held.etcd?.spec.etcd),
      ...pair("peer", held.etcd?.spec.etcdPeer),
      ...pair("healthcheck-client", held.etcd?.spec.etcdAdmin),
    }),
  },
} as const satisfies Readonly<Record<string, Layout>>;

export type Directory = keyof typeof directories;

const noFiles: Files = {};

/** What a directory is made of, as inputs. */
export function inputsOf(directory: Directory): Partial<ReturnType<typeof holdingsOf>> {
  const { of }: Layout = directories[directory];
  return Object.fromEntries(Object.entries(holdingsOf()).filter(([name]) => isIn(of, name)));
}

const isIn = (list: readonly string[], name: string): boolean => list.includes(name);

/** Id of a directory's `FileSet`. */
export const fileSetId = (directory: Directory): string => directory.replaceAll("/", "-");

/** A directory as it should be. */
export interface Wanted {
  readonly files: Files;
  /** Leaves that are not issued yet. */
  readonly missing: readonly string[];
  /**
   * What is of no use: leaves that are still under an authority which is none any more, and what
   * cannot be read. Their set is not to be written.
   */
  readonly outdated: readonly string[];
}

/**
 * What a directory should hold, and whether its leaves fit the authorities beside them.
 *
 * @param inputs at least those of {@link inputsOf}
 */
export async function wantedIn(
  directory: Directory,
  inputs: Partial<Holdings>,
  publicKeyOf: PublicKeyOf,
): Promise<Wanted> {
  const held: Holdings = { ...nothingHeld, ...inputs };
  const layout: Layout = directories[directory];
  const leaves = inventory(held).filter(({ id }) => layout.leaves.includes(id));
  const outdated: string[] = [];
  for (const { id, root, crt, pem } of leaves) {
    if (crt === undefined) continue;
    const good = isKeyed(pem) && isUsable(pem) && (await isUnder(crt, trustedUnder(root, held)));
    if (!good) outdated.push(id);
  }
  if (directory === "kubernetes/pki" && !canSignTokens(held)) outdated.push("service-account");
  const missing = leaves.filter(({ crt }) => crt === undefined).map(({ id }) => id);
  const files = outdated.length === 0 ? await layout.files(held, publicKeyOf) : noFiles;
  return { files, missing, outdated };
}

async function isUnder(crt: string, authorities: readonly string[]): Promise<boolean> {
  const leaf = certificateIn(crt);
  if (!leaf) return false;
  for (const pem of authorities) {
    const authority = certificateIn(pem);
    if (authority && (await signedBy(leaf, authority))) return true;
  }
  return false;
}

/** Whether the service account's key can be read; also where there is none. */
const canSignTokens = ({ k8s }: Holdings): boolean => !k8s || isKey(k8s.spec.serviceAccount);

const isKey = remembered(
  ({ key }: { readonly key: string }): boolean => readable(() => readPrivateKey(key)) !== undefined,
);

async function kubernetesFiles(held: Holdings, publicKeyOf: PublicKeyOf): Promise<Files> {
  const root = held.k8s?.spec;
  if (!root) return noFiles;
  const also = held.accepted.find(({ metadata }) => metadata.id === "service-account");
  const accepted = also?.spec.acceptedKeys.map(({ key }) => key).filter(isPem) ?? [];
  return {
    ...authorityFile("ca.crt", "k8s", held),
    "ca.key": root.issuingCA.key,
    ...authorityFile("front-proxy-ca.crt", "aggregator", held),
    "sa.key": root.serviceAccount.key,
    "sa.pub": [await publicKeyOf(root.serviceAccount.key), ...accepted].join(""),
    ...pair("apiserver", held.dynamic?.spec.apiServer),
    ...pair("apiserver-kubelet-client", held.dynamic?.spec.apiServerKubeletClient),
    ...pair("front-proxy-client", held.dynamic?.spec.frontProxy),
    ...pair("apiserver-etcd-client", held.etcd?.spec.etcdAPIServer),
  };
}

function authorityFile(name: string, root: Root, held: Holdings): Files {
  const issuing = authorityOf(root, held)?.crt;
  if (issuing === undefined) return noFiles;
  const others = trustedUnder(root, held).filter((crt) => crt !== issuing && certificateIn(crt));
  return { [name]: [issuing, ...others].join("") };
}

const isPem = (pem: string): boolean => (readable(() => readPem(pem)) ?? []).length > 0;

const text = (name: string, contents: string): Files =>
  contents === "" ? noFiles : { [name]: contents };

const pair = (
  name: string,
  pem: { readonly crt: string; readonly key: string } | null | undefined,
): Files => (pem ? { [`${name}.crt`]: pem.crt, [`${name}.key`]: forServers(pem.key) } : noFiles);

/**
 * Talos' label of an Ed25519 key is one that OpenSSL does not know; the body is PKCS #8 all the same
 * (talos-pki.md §2.5).
 */
const forServers = (key: string): string => key.replaceAll("ED25519 PRIVATE KEY", "PRIVATE KEY");
