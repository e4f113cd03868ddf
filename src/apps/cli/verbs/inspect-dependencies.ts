/** `inspect dependencies`: what controllers read and write, as a graph (talosctl-wire.md §2.5). */
import type { Client, Dependency, RemoteResource } from "../../client/index.ts";
import type { Connection } from "../flags.ts";
import type { Io } from "../io.ts";
import { DEFINITIONS, resolveKind } from "../kinds.ts";
import { withNodes } from "../nodes.ts";
import { DotGraph } from "../output/dot.ts";

/** The flags of `inspect dependencies`. */
export interface DependenciesOptions {
  readonly withResources: boolean;
}

const RESOURCE = { shape: "note", fillcolor: "azure2", style: "filled" };
const CONTROLLER = { shape: "box" };

/** How an edge is drawn; those that are not in here are not, as there would be too many lines. */
const styles: Readonly<Partial<Record<Dependency["edge"], string>>> = {
  "output-exclusive": "bold",
  "output-shared": "solid",
  "input-strong": "solid",
  "input-weak": "dotted",
};

const isOutput = ({ edge }: Dependency): boolean => edge.startsWith("output-");

/** Prints the graph of one node. */
export const inspectDependencies = (
  io: Io,
  { withResources }: DependenciesOptions,
  flags: Connection,
): Promise<number> =>
  withNodes(io, flags, async (nodes) => {
    const node = nodes.single("inspect dependencies");
    io.stdout.write(
      withResources
        ? await graphWithResources(nodes.client, node)
        : ofTypes(await nodes.client.dependencies({ node })).toString(),
    );
    return nodes.status();
  });

function ofTypes(dependencies: readonly Dependency[]): DotGraph {
  const graph = new DotGraph();
  for (const { controller, type } of dependencies) {
    graph.node(controller, CONTROLLER);
    graph.node(type, RESOURCE);
  }
  for (const dependency of dependencies) {
    const { controller, type, edge, id } = dependency;
    const style = styles[edge];
    if (style === undefined) continue;
    const [from, to] = isOutput(dependency) ? [controller, type] : [type, controller];
    graph.edge(from, to, { style, ...(id !== "" && { label: id }) });
  }
  return graph;
}

/** The graph with the resources that are there, in the DOT language. */
export async function graphWithResources(client: Client, node: string): Promise<string> {
  const dependencies = await client.dependencies({ node });
  return ofResources(dependencies, await resourcesOf(client, node, dependencies)).toString();
}

/** By type; of a kind that cannot be listed, as one that is not for this client, there are none. */
type Resources = ReadonlyMap<string, readonly RemoteResource[]>;

async function resourcesOf(
  client: Client,
  node: string,
  dependencies: readonly Dependency[],
): Promise<Resources> {
  const definitions = await client.list(DEFINITIONS, { node });
  const types = [...new Set(dependencies.map(({ type }) => type))];
  const lists = types.map(async (type) => {
    const { defaultNamespace } = resolveKind(type, definitions);
    const namespaces = dependencies
      .filter((dependency) => dependency.type === type)
      .map(({ namespace }) => namespace || defaultNamespace);
    const listed = await Promise.all(
      [...new Set(namespaces)].map((namespace) =>
        client.list({ namespace, type }, { node }).catch(() => []),
      ),
    );
    return [type, listed.flat()] as const;
  });
  return new Map(await Promise.all(lists));
}

function ofResources(dependencies: readonly Dependency[], resources: Resources): DotGraph {
  const graph = new DotGraph();
  for (const { controller } of dependencies) graph.node(controller, CONTROLLER);
  for (const [type, listed] of resources)
    for (const resource of listed) graph.node(nameOf(resource), RESOURCE, type);
  for (const dependency of dependencies) {
    const { controller, type, edge } = dependency;
    const style = styles[edge];
    if (style === undefined) continue;
    for (const resource of resources.get(type) ?? []) {
      if (!belongs(dependency, resource)) continue;
      const name = nameOf(resource);
      const [from, to] = isOutput(dependency) ? [controller, name] : [name, controller];
      graph.edge(from, to, { style: style === "bold" ? "solid" : style });
    }
  }
  return graph;
}

/** An output belongs to its owner, an input is of the namespace and the id that are asked for. */
function belongs(dependency: Dependency, { metadata }: RemoteResource): boolean {
  if (isOutput(dependency)) return metadata.owner === dependency.controller;
  const { namespace, id } = dependency;
  return metadata.namespace === namespace && (id === "" || metadata.id === id);
}

const nameOf = ({ metadata: { namespace, type, id } }: RemoteResource): string =>
  `${namespace}/${type}/${id}`;
