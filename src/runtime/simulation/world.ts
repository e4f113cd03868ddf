/** What properties see: what the nodes have committed, at this moment, read in place. */
import type { Clock } from "../clock.ts";
import type { Instant } from "../instant.ts";
import { pointerTo, type DeepReadonly, type Resource, type ResourceType } from "../resource.ts";
import type { Store } from "../store/state.ts";
import type { Kernel } from "./kernel/kernel.ts";
import type { SimulatedNode } from "./node.ts";
import type { NodeView, WorldView } from "./scenario.ts";

type Snapshot = Parameters<Parameters<Store["core"]["snapshot"]>[1]>[0];
type Kind = Pick<ResourceType<unknown>, "namespace" | "type">;

/** All nodes; there is at least one. */
export function worldOf(nodes: readonly SimulatedNode[], kernel: Kernel): WorldView {
  const views = nodes.map((node) => new View(node));
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

  readonly resource = <Spec>(kind: ResourceType<Spec>, id: string): Resource<Spec> | null =>
    (this.#read(kind, (view) => view.get(pointerTo(kind, id))) ?? null) as Resource<Spec> | null;

  readonly spec = <Spec>(kind: ResourceType<Spec>, id: string): DeepReadonly<Spec> | null =>
    this.resource(kind, id)?.spec ?? null;

  readonly list = <Spec>(kind: ResourceType<Spec>): readonly Resource<Spec>[] =>
    (this.#read(kind, (view) => view.list(kind)) ?? []) as readonly Resource<Spec>[];

  /** Its stores look at their contents before they return. */
  #read<T>(kind: Kind, select: (view: Snapshot) => T): T | undefined {
    const store = this.#node.isUp ? this.#node.process?.store : undefined;
    let result: T | undefined;
    void store?.core.snapshot([kind], (view) => {
      result = select(view);
    });
    return result;
  }
}

class World extends View implements WorldView {
  readonly nodes: readonly NodeView[];
  readonly #kernel: Kernel;

  constructor(first: SimulatedNode, nodes: readonly NodeView[], kernel: Kernel) {
    super(first);
    this.nodes = nodes;
    this.#kernel = kernel;
  }

  get now(): Instant {
    return this.#kernel.now;
  }
}
