/** Graphs in the DOT language, in the shape that talosctl prints them in. */

type Attributes = Readonly<Record<string, string>>;

interface Group {
  readonly label: string | undefined;
  readonly lines: string[];
}

/** A directed graph; nodes are numbered in the order in which they are first mentioned. */
export class DotGraph {
  readonly #ids = new Map<string, string>();
  readonly #groups = new Map<string, Group>([["", { label: undefined, lines: [] }]]);
  readonly #edges: string[] = [];

  /** Mentions a node, inside a cluster if that is given. Attributes count the first time. */
  node(name: string, attributes: Attributes, cluster = ""): void {
    if (this.#ids.has(name)) return;
    const id = `n${String(this.#ids.size + 1)}`;
    this.#ids.set(name, id);
    let group = this.#groups.get(cluster);
    if (group === undefined) this.#groups.set(cluster, (group = { label: cluster, lines: [] }));
    group.lines.push(`${id}${listed({ ...attributes, label: name })};`);
  }

  /** Connects two nodes that were mentioned. */
  edge(from: string, to: string, attributes: Attributes): void {
    const [tail, head] = [this.#ids.get(from), this.#ids.get(to)];
    if (tail === undefined || head === undefined) throw new TypeError("an edge needs two nodes");
    this.#edges.push(`${tail}->${head}${listed(attributes)};`);
  }

  toString(): string {
    const groups = [...this.#groups.values()].flatMap(({ label, lines }, place) =>
      label === undefined
        ? lines.map(indented)
        : [
            `\tsubgraph cluster_s${String(place)} {`,
            ...[`label=${quoted(label)};`, ...lines].map(indented).map(indented),
            "\t}",
          ],
    );
    return ["digraph  {", ...groups, ...this.#edges.map(indented), "}", ""].join("\n");
  }
}

const indented = (line: string): string => `\t${line}`;

const quoted = (text: string): string =>
  `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;

/** Attributes in brackets, by name. */
function listed(attributes: Attributes): string {
  const names = Object.keys(attributes).sort();
  return `[${names.map((name) => `${name}=${quoted(attributes[name] ?? "")}`).join(",")}]`;
}
