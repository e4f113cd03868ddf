/** Merges a kubeconfig into another one, whose comments and other entries stay. */
import { isDeepStrictEqual } from "node:util";
import { isMap, isSeq, parseDocument, type Document, YAMLSeq } from "yaml";
import { ArgumentError } from "./errors.ts";

/** A name that was taken: what has it, and the name that the new one has got. */
export type Renaming = readonly [
  what: "cluster" | "user" | "context",
  before: string,
  after: string,
];

interface Named {
  readonly name: string;
  readonly [key: string]: unknown;
}

interface Kubeconfig {
  readonly clusters: readonly (Named & { readonly cluster: object })[];
  readonly users: readonly (Named & { readonly user: object })[];
  readonly contexts: readonly (Named & {
    readonly context: { readonly cluster: string; readonly user: string };
  })[];
  readonly "current-context": string;
}

/** Gives the one context of a kubeconfig another name. */
export function withContextName(text: string, name: string): string {
  const document = parseDocument(text);
  document.setIn(["contexts", 0, "name"], name);
  document.set("current-context", name);
  return document.toString({ lineWidth: 0 });
}

/**
 * Adds cluster, user and context of `fresh`, and makes that context the current one. Where a name is
 * taken by something else the new one gets a number behind it, or its place with `force`.
 *
 * @throws {ArgumentError} when `text` is no kubeconfig
 */
export function mergeKubeconfig(
  text: string,
  fresh: string,
  { path, force }: { readonly path: string; readonly force: boolean },
): { readonly content: string; readonly renamed: readonly Renaming[] } {
  const document = openKubeconfig(text, path);
  const { clusters, users, contexts } = parseDocument(fresh).toJS() as Kubeconfig;
  const renamed: Renaming[] = [];
  const add = (list: string, what: Renaming[0], entry: Named): string => {
    const name = place(listIn(document, list, path), entry, { document, force });
    if (name !== entry.name) renamed.push([what, entry.name, name]);
    return name;
  };
  const clusterNames = new Map(clusters.map((c) => [c.name, add("clusters", "cluster", c)]));
  const userNames = new Map(users.map((user) => [user.name, add("users", "user", user)]));
  for (const entry of contexts) {
    const cluster = clusterNames.get(entry.context.cluster) ?? entry.context.cluster;
    const user = userNames.get(entry.context.user) ?? entry.context.user;
    const context = { ...entry, context: { ...entry.context, cluster, user } };
    document.set("current-context", add("contexts", "context", context));
  }
  return { content: document.toString({ lineWidth: 0 }), renamed };
}

function openKubeconfig(text: string, path: string): Document {
  const document = parseDocument(text.trim() === "" ? "apiVersion: v1\nkind: Config\n" : text);
  const [problem] = document.errors;
  if (problem !== undefined || !isMap(document.contents))
    throw new ArgumentError(
      `${JSON.stringify(path)} is no kubeconfig: ${problem?.message ?? "it is not a mapping"}`,
    );
  return document;
}

function listIn(document: Document, key: string, path: string): YAMLSeq {
  const found = document.get(key);
  if (isSeq(found)) return found;
  if (found !== undefined && found !== null)
    throw new ArgumentError(`${JSON.stringify(path)} is no kubeconfig: ${key} is not a list`);
  const made = new YAMLSeq();
  document.set(key, made);
  return made;
}

/** @returns the name that it has got */
function place(
  list: YAMLSeq,
  entry: Named,
  { document, force }: { readonly document: Document; readonly force: boolean },
): string {
  const at = (name: string) =>
    list.items.findIndex((item) => isMap(item) && item.get("name") === name);
  let name = entry.name;
  for (let number = 1; ; number++) {
    const index = at(name);
    const node = document.createNode({ ...entry, name });
    if (index === -1) list.add(node);
    else if (force || isSame(list.items[index], { ...entry, name })) list.items[index] = node;
    else {
      name = `${entry.name}-${number}`;
      continue;
    }
    return name;
  }
}

const isSame = (item: unknown, entry: Named): boolean =>
  isMap(item) && isDeepStrictEqual(item.toJSON(), entry);
