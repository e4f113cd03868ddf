/** What properties see: what the nodes have committed, at this moment, read in place. */
import type { Clock } from "../clock.ts";
import type { Instant } from "../instant.ts";
import { pointerTo, type DeepReadonly, type Resource, type ResourceType } from "../resource.ts";
import type { View as Contents } from "../store/store.ts";
import type { Kernel } from "./kernel/kernel.ts";
import type { SimulatedNode } from "./node.ts";
import type { NodeView, Note, WorldView } from "./scenario.ts";

/** All nodes; there is at least one. */
export function worldOf(nodes: readonly SimulatedNode[], kernel: Kernel): World {
  const views = new Map(nodes.map((node) => [node, new View(node)]));
  const [first] = nodes;
  if (first === undefined) throw new TypeError("a world needs a node");
  return new World(first, views, kernel);
}

class View implements NodeView {
  readonly #node: SimulatedNode;
  readonly name: string;
  readonly clock: Pick<Clock, "now">;
  readonly files: ReadonlyMap<string, string>;

  constructor(node: SimulatedNode) {
    this.#node = node;
    this.name = node.name;
    this.files = node.files;
    this.clock = { now: () => node.now() };
  }

  get boot(): number {
    return this.#node.boot;
  }

  get revision(): number {
    return this.#node.revision;
  }

  get noted(): readonly Note[] {
    return this.#node.noted;
  }

  get runs(): number {
    return this.#node.runs;
  }

  get written(): readonly Resource[] {
    return this.#node.written;
  }

  readonly logged = (code: string): Instant | undefined => this.#node.logged.get(code);

  get isUp(): boolean {
    return this.#node.isUp;
  }

  get clockError(): number {
    return this.#node.clockError;
  }

  get isWritable(): boolean {
    return !this.#node.disk.isFull;
  }

  readonly isCalm = (duration?: number): boolean => this.#node.isCalm(duration);

  readonly isReached = (other: string, duration?: number): boolean =>
    this.#node.isReached(other, duration);

  readonly resource = <Spec>(kind: ResourceType<Spec>, id: string): Resource<Spec> | null =>
    (this.#contents?.get(pointerTo(kind, id)) ?? null) as Resource<Spec> | null;

  readonly spec = <Spec>(kind: ResourceType<Spec>, id: string): DeepReadonly<Spec> | null =>
    this.resource(kind, id)?.spec ?? null;

  readonly list = <Spec>(kind: ResourceType<Spec>): readonly Resource<Spec>[] =>
    (this.#contents?.list(kind) ?? []) as readonly Resource<Spec>[];

  get #contents(): Contents | undefined {
    return this.#node.isUp ? this.#node.process?.contents : undefined;
  }
}

/** What properties see, and where they have to look. */
export class World extends View implements WorldView {
  readonly nodes: readonly NodeView[];
  changed: readonly NodeView[];
  readonly #views: ReadonlyMap<SimulatedNode, NodeView>;
  readonly #kernel: Kernel;

  constructor(first: SimulatedNode, views: ReadonlyMap<SimulatedNode, NodeView>, kernel: Kernel) {
    super(first);
    this.changed = this.nodes = [...views.values()];
    this.#views = views;
    this.#kernel = kernel;
  }

  /** In these something may have changed. */
  lookAt(nodes: readonly SimulatedNode[]): void {
    this.changed = nodes.flatMap((node) => this.#views.get(node) ?? []);
  }

  get now(): Instant {
    return this.#kernel.now;
  }
}
