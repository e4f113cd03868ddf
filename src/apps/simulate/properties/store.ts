/** What must hold of what stands in a store, whatever happens to the node. */
import { NodeAddress } from "#resources";
import {
  minutes,
  formatPointer,
  type AnyResourceType,
  type Controller,
  type Resource,
} from "#runtime";
import { lasting, type Properties, type Property } from "#runtime/simulation";
import { PUBLISHED } from "../node.ts";
import { factsOf, isIssuedBy } from "./certificate.ts";
import { type Holdings, holdingsReader } from "./holdings.ts";

/** Made anew for each simulation. */
export function storeProperties(
  kinds: readonly AnyResourceType[],
  controllers: readonly Controller[],
): Properties {
  return {
    "no private key stands in a resource that is not sensitive": secrecy(kinds),
    "what one controller alone writes is owned by it": ownership(controllers),
    "outputs of one reconcile are there together": wholeness,
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
  return ({ nodes }) =>
    nodes.flatMap((node) =>
      node.written
        .filter(({ metadata }) => !sensitive.has(metadata.type))
        .filter(({ spec }) => KEY.test(JSON.stringify(spec)))
        .map(({ metadata }) => `${node.name}: ${formatPointer(metadata)} holds a private key`),
    );
}

function ownership(controllers: readonly Controller[]): Property {
  const owners = new Map<string, string>();
  for (const { name, outputs } of controllers)
    for (const { kind, sharing } of Object.values(outputs))
      if (sharing === "exclusive") owners.set(kind.type, name);
  const isForeign = ({ metadata }: Resource) =>
    (owners.get(metadata.type) ?? metadata.owner) !== metadata.owner;
  return ({ nodes }) =>
    nodes.flatMap((node) =>
      node.written
        .filter(isForeign)
        .map(
          ({ metadata }) =>
            `${node.name}: ${formatPointer(metadata)} is owned by ${metadata.owner || "nobody"}`,
        ),
    );
}

/** The six lists of addresses are written by one reconcile. */
const ADDRESS_LISTS = 6;

const wholeness: Property = ({ nodes }) =>
  nodes.flatMap((node) => {
    if (!node.isUp) return [];
    const { length } = node.list(NodeAddress);
    return [0, ADDRESS_LISTS].includes(length)
      ? []
      : [`${node.name}: ${String(length)} of ${String(ADDRESS_LISTS)} lists of addresses`];
  });

/** Directories in which every leaf is under `ca.crt`. */
const ONE_ROOT = ["talos", "kubernetes/pki/etcd"];

function published(): Property {
  const seen = new Map<string, { text: string; problems: readonly string[] }>();
  return ({ nodes }) =>
    nodes.flatMap((node) =>
      ONE_ROOT.flatMap((directory) => {
        const text = node.files.get(`${PUBLISHED}${directory}`);
        if (text === undefined) return [];
        const place = `${node.name}: ${directory}`;
        const last = seen.get(place);
        if (last?.text === text) return last.problems;
        const problems = strangersIn(JSON.parse(text) as Record<string, string>, place);
        seen.set(place, { text, problems });
        return problems;
      }),
    );
}

function strangersIn(files: Readonly<Record<string, string>>, place: string): string[] {
  const { "ca.crt": ca = "", ...others } = files;
  const authorities = ca.match(/-----BEGIN[^]*?-----END CERTIFICATE-----\n?/g) ?? [];
  return Object.entries(others)
    .filter(([name]) => name.endsWith(".crt"))
    .filter(([, pem]) => !authorities.some((one) => isIssuedBy(factsOf(pem), factsOf(one))))
    .map(([name]) => `${place}/${name} is not under the authority beside it`);
}

/** One leaf of each of three controllers, where it stands for servers. */
const places = {
  "apid-server": ["talos", "apid.crt"],
  "etcd-server": ["kubernetes/pki/etcd", "server.crt"],
  "kube-apiserver": ["kubernetes/pki", "apiserver.crt"],
} as const;

function current(): Property {
  const read = holdingsReader();
  const seen = new Map<
    string,
    { held: Holdings; texts: readonly unknown[]; problems: readonly string[] }
  >();
  return ({ nodes }) =>
    nodes.flatMap((node) => {
      if (!node.isUp || !node.isCalm(minutes(5))) return [];
      const held = read(node);
      const texts = Object.values(places).map(([path]) => node.files.get(`${PUBLISHED}${path}`));
      const last = seen.get(node.name);
      if (last?.held === held && texts.every((text, place) => text === last.texts[place]))
        return last.problems;
      const problems = Object.entries(places).flatMap(([id, [, file]], place) => {
        const files = JSON.parse(texts[place] ?? "{}") as Record<string, string>;
        const leaf = held.leaves.find((one) => one.id === id)?.facts;
        const pem = files[file];
        const isSame = leaf && pem !== undefined && factsOf(pem).fingerprint === leaf.fingerprint;
        return isSame || !leaf ? [] : [`${node.name}: ${id} is published as another`];
      });
      seen.set(node.name, { held, texts, problems });
      return problems;
    });
}
