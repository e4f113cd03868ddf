/** Lets happen what the list of events says: one row per kind. */
import { after, instantOf } from "../instant.ts";
import type { FaultKind, SimulationEvent } from "./faults.ts";
import type { Kernel } from "./kernel/kernel.ts";
import type { Wire } from "./network.ts";
import type { SimulatedNode } from "./node.ts";
import type { Scenario } from "./scenario.ts";
import type { Tally } from "./tally.ts";

/** What is done to. */
export interface InjectorOptions {
  readonly scenario: Scenario;
  readonly kernel: Kernel;
  readonly wire: Wire;
  readonly nodes: ReadonlyMap<string, SimulatedNode>;
  readonly tally: Tally;
}

type EventOf<Kind> = Extract<SimulationEvent, { readonly kind: Kind }>;
/** Lets something happen after so many milliseconds, unless the faults are over by then. */
type Later = (duration: number, run: () => Promise<void> | void) => void;
type Row<Kind> = (
  node: SimulatedNode,
  event: EventOf<Kind>,
  later: Later,
  wire: Wire,
) => Promise<void> | void;

const BEGIN = instantOf(0);

const rows: { readonly [Kind in FaultKind]: Row<Kind> } = {
  crash: (node, { point, down }) => node.crash(point, down),
  restart: (node, { down }) => node.restart(down),
  pause(node, event) {
    node.pause(event.for);
  },
  writeFails(node, { after: untouched, commits }) {
    node.disk.untouched = untouched;
    node.disk.failures = commits;
  },
  writeLate(node, event) {
    node.disk.delay = event.for;
  },
  commitsLost(node, event, later) {
    node.disk.startLosing();
    later(event.for, async () => {
      await node.crash("idle", event.down);
      node.disk.lose();
    });
  },
  diskFull(node, event, later) {
    node.disk.isFull = true;
    later(event.for, () => {
      node.disk.isFull = false;
    });
  },
  watchEnds: (node, { end, which, again }) =>
    node.disturb(({ watches }) => watches?.endWatches(end, which, again)),
  async watchLags(node, event, later) {
    await node.disturb(({ watches }) => watches?.startLagging());
    later(event.for, () => node.disturb(({ watches }) => watches?.stopLagging()));
  },
  clockSkew: (node, { by }) => node.skewClock(by),
  clockDrift(node, { ppm, for: duration }, later) {
    node.driftClock(ppm);
    later(duration, () => node.setClockRight(0));
  },
  async clockStep(node, { by, for: duration, noticed }, later) {
    await node.stepClock(after(node.now(), by), noticed);
    later(duration, () => node.setClockRight(noticed));
  },
  async bootIn1970(node, { for: duration, down }, later) {
    await node.crash("idle", down);
    await node.stepClock(BEGIN, 0);
    later(down + duration, () => node.setClockRight(0));
  },
  partition(node, event, later, wire) {
    later(event.for, wire.trouble({ node: node.name, which: event.which, lost: 1 }));
  },
  messagesLost(node, event, later, wire) {
    later(event.for, wire.trouble({ node: node.name, lost: event.part }));
  },
  messagesTwice(node, event, later, wire) {
    later(event.for, wire.trouble({ node: node.name, twice: event.part }));
  },
  messagesLate(node, event, later, wire) {
    later(event.for, wire.trouble({ node: node.name, late: event.by }));
  },
};

/** Does it. */
export class Injector {
  readonly #options: InjectorOptions;
  #isOver = false;

  constructor(options: InjectorOptions) {
    this.#options = options;
  }

  /** Resolves when what the event sets off at once is over. */
  async inject(event: SimulationEvent): Promise<void> {
    const { nodes, scenario, tally, wire } = this.#options;
    const node = nodes.get(event.node);
    if (node === undefined) throw new TypeError(`there is no node ${event.node}`);
    if (event.kind === "operation") {
      const operation = scenario.operations[event.name];
      if (operation === undefined) throw new TypeError(`there is no operation ${event.name}`);
      await node.operate(operation.run);
      return;
    }
    tally.countFault(event.kind);
    const row = rows[event.kind] as Row<FaultKind>;
    await row(node, event, this.#later, wire);
  }

  /** From now on nothing goes wrong any more. */
  async heal(): Promise<void> {
    const { nodes, wire } = this.#options;
    this.#isOver = true;
    wire.heal();
    for (const node of nodes.values()) await node.heal();
  }

  readonly #later: Later = (duration, run) => {
    const { kernel } = this.#options;
    kernel.at(after(kernel.now, duration), () => (this.#isOver ? undefined : run()));
  };
}
