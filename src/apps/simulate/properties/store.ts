/** What must hold of what stands in a store, whatever happens to the node. */
import { type AnyResourceType, formatPointer, minutes } from "#runtime";
import {
  eachNode,
  lasting,
  type NodeView,
  type Properties,
  type Property,
} from "#runtime/simulation";
import { PUBLISHED } from "../node.ts";
import { factsOf, isIssuedBy } from "./certificate.ts";
import { type Holdings, holdingsOf } from "./holdings.ts";

/** Made anew for each simulation. */
export function storeProperties(kinds: readonly AnyResourceType[]): Properties {
  return {
    "no private key stands in a resource that is not sensitive": secrecy(kinds),
    "published leaves stand beside their authority": lasting(minutes(25), published()),
    "what is published is what is held": lasting(minutes(25), current()),
  };
}

/** PEM of a key, and the same in base64. */
const KEY = /PRIVATE KEY|(?:UFJJVkFURSBLRV|BSSVZBVEUgS0VZ|QUklWQVRFIEtFW)/;

function secrecy(kinds: readonly AnyResourceType[]): Property {
  const sensitive = new Set(
    kinds.filter(({ sensitivity }) => sensitivity === "sensitive").map(({ type }) => type),
  );
  return eachNode((node) =>
    node.written
      .filter(({ metadata }) => !sensitive.has(metadata.type))
      .filter(({ spec }) => KEY.test(JSON.stringify(spec)))
      .map(({ metadata }) => `${node.name}: ${formatPointer(metadata)} holds a private key`),
  );
}

type Files = Readonly<Record<string, string>>;

/** Reads one published directory of nodes again and again; a text that did not change is read once. */
function publishedReader(directory: string): (node: NodeView) => Files | undefined {
  const path = `${PUBLISHED}${directory}`;
  const seen = new Map<string, { readonly text: string; readonly files: Files }>();
  return ({ name, files: texts }) => {
    const text = texts.get(path);
    if (text === undefined) return undefined;
    const last = seen.get(name);
    if (last?.text === text) return last.files;
    const files = JSON.parse(text) as Files;
    seen.set(name, { text, files });
    return files;
  };
}

/** Directories in which every leaf is under `ca.crt`. */
const ONE_ROOT = ["talos", "kubernetes/pki/etcd"];

function published(): Property {
  const readers = ONE_ROOT.map((directory) => ({ directory, read: publishedReader(directory) }));
  const known = new WeakMap<Files, readonly string[]>();
  return eachNode((node) =>
    readers.flatMap(({ directory, read }) => {
      const files = read(node);
      if (files === undefined) return [];
      const problems = known.get(files) ?? strangersIn(files, `${node.name}: ${directory}`);
      known.set(files, problems);
      return problems;
    }),
  );
}

function strangersIn(files: Files, place: string): string[] {
  const { "ca.crt": ca = "", ...others } = files;
  const authorities = ca.match(/-----BEGIN[^]*?-----END CERTIFICATE-----\n?/g) ?? [];
  return Object.entries(others)
    .filter(([name]) => name.endsWith(".crt"))
    .filter(([, pem]) => !authorities.some((one) => isIssuedBy(factsOf(pem), factsOf(one))))
    .map(([name]) => `${place}/${name} is not under the authority beside it`);
}

/** One leaf of each of three controllers, where it stands for servers. */
const places = [
  { id: "apid-server", directory: "talos", file: "apid.crt" },
  { id: "etcd-server", directory: "kubernetes/pki/etcd", file: "server.crt" },
  { id: "kube-apiserver", directory: "kubernetes/pki", file: "apiserver.crt" },
] as const;

interface Compared {
  readonly held: Holdings;
  readonly sets: readonly (Files | undefined)[];
  readonly problems: readonly string[];
}

function current(): Property {
  const readers = places.map(({ directory }) => publishedReader(directory));
  const seen = new Map<string, Compared>();
  return eachNode((node) => {
    if (!node.isUp || !node.isCalm(minutes(5))) return [];
    const held = holdingsOf(node);
    const sets = readers.map((readSet) => readSet(node));
    const last = seen.get(node.name);
    if (last?.held === held && sets.every((set, place) => set === last.sets[place]))
      return last.problems;
    const problems = places.flatMap(({ id, file }, place) => {
      const leaf = held.leaves.find((one) => one.id === id)?.facts;
      const pem = sets[place]?.[file];
      const isSame = leaf && pem !== undefined && factsOf(pem).fingerprint === leaf.fingerprint;
      return isSame || !leaf ? [] : [`${node.name}: ${id} is published as another`];
    });
    seen.set(node.name, { held, sets, problems });
    return problems;
  });
}
