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
/** What a fault works with besides its node and event. */
interface Means {
  /** It has taken effect; it is counted once. */
  readonly took: () => void;
  /** Lets something happen after so many milliseconds, unless the faults are over by then. */
  readonly later: (duration: number, run: () => Promise<void> | void) => void;
  /** The same once nothing else on the node does so to `what`. */
  readonly lasts: (what: Lasting, duration: number, end: () => Promise<void> | void) => void;
  /** Whether something does so. */
  readonly isOn: (what: Lasting) => boolean;
  readonly wire: Wire;
}
/** What several events may do something to at a time. */
type Lasting = "disk" | "watches" | "clock" | "drift";
type Row<Kind> = (node: SimulatedNode, event: EventOf<Kind>, means: Means) => Promise<void> | void;

const BEGIN = instantOf(0);

const rows: { readonly [Kind in FaultKind]: Row<Kind> } = {
  crash: (node, { point, down }, { took }) => node.crash(point, down, took),
  async restart(node, { down }, { took }) {
    if (node.process !== undefined) took();
    await node.restart(down);
  },
  pause(node, event, { took }) {
    if (node.process !== undefined) took();
    node.pause(event.for);
  },
  writeFails(node, { after: untouched, commits }, { took }) {
    node.disk.failCommits(untouched, commits, took);
  },
  writeLate(node, event, { took }) {
    node.disk.slowCommit(event.for, took);
  },
  commitsLost(node, event, { took, later }) {
    node.disk.startLosing();
    later(event.for, async () => {
      took();
      await node.crash("idle", event.down, took);
      node.disk.lose();
    });
  },
  diskFull(node, event, { took, lasts }) {
    took();
    node.disk.isFull = true;
    lasts("disk", event.for, () => {
      node.disk.isFull = false;
    });
  },
  watchEnds: (node, { end, which, again }, { took }) =>
    node.disturb(({ watches }) => {
      if (watches !== undefined && watches.endWatches(end, which, again) + again > 0) took();
    }),
  async watchLags(node, event, { took, lasts }) {
    if (node.process !== undefined) took();
    await node.disturb(({ watches }) => watches?.startLagging());
    lasts("watches", event.for, () => node.disturb(({ watches }) => watches?.stopLagging()));
  },
  async clockSkew(node, { by }, { took }) {
    took();
    await node.skewClock(by);
  },
  clockDrift(node, { ppm, for: duration }, { took, lasts, isOn }) {
    took();
    node.driftClock(ppm);
    lasts("drift", duration, async () => {
      node.driftClock(0);
      if (!isOn("clock")) await node.setClockRight(0);
    });
  },
  async clockStep(node, { by, for: duration, noticed }, { took, lasts }) {
    took();
    await node.stepClock(after(node.now(), by), noticed);
    lasts("clock", duration, () => node.setClockRight(noticed));
  },
  async bootIn1970(node, { for: duration, down }, { took, lasts }) {
    took();
    await node.crash("idle", down, took);
    await node.stepClock(BEGIN, 0);
    lasts("clock", down + duration, () => node.setClockRight(0));
  },
  partition(node, event, { took, later, wire }) {
    later(event.for, wire.trouble({ node: node.name, which: event.which, lost: 1, took }));
  },
  messagesLost(node, event, { took, later, wire }) {
    later(event.for, wire.trouble({ node: node.name, lost: event.part, took }));
  },
  messagesTwice(node, event, { took, later, wire }) {
    later(event.for, wire.trouble({ node: node.name, twice: event.part, took }));
  },
  messagesLate(node, event, { took, later, wire }) {
    later(event.for, wire.trouble({ node: node.name, late: event.by, took }));
  },
};

/** Does it. */
export class Injector {
  readonly #options: InjectorOptions;
  /** By node and what, how many events do something to it now. */
  readonly #lasting = new Map<string, number>();
  #isOver = false;

  constructor(options: InjectorOptions) {
    this.#options = options;
  }

  /**
   * Resolves when what the event sets off at once is over.
   *
   * @param event with its place in the list
   */
  async inject(event: SimulationEvent & { readonly place: number }): Promise<void> {
    const { nodes, scenario } = this.#options;
    const node = nodes.get(event.node);
    if (node === undefined) throw new TypeError(`there is no node ${event.node}`);
    if (event.kind === "operation") {
      const operation = scenario.operations[event.name];
      if (operation === undefined) throw new TypeError(`there is no operation ${event.name}`);
      await node.operate(operation.run, event.place);
      return;
    }
    if (this.#isOver) return;
    const row = rows[event.kind] as Row<FaultKind>;
    await row(node, event, this.#meansOf(event));
  }

  /** From now on nothing goes wrong any more. */
  async heal(): Promise<void> {
    const { nodes, wire } = this.#options;
    this.#isOver = true;
    wire.heal();
    for (const node of nodes.values()) await node.heal();
  }

  #meansOf({ node, kind }: SimulationEvent & { readonly kind: FaultKind }): Means {
    const { kernel, tally, wire } = this.#options;
    let isCounted = false;
    const later: Means["later"] = (duration, run) => {
      kernel.at(after(kernel.now, duration), () => (this.#isOver ? undefined : run()));
    };
    const countOf = (what: Lasting) => this.#lasting.get(`${node} ${what}`) ?? 0;
    const add = (what: Lasting, more: number) =>
      this.#lasting.set(`${node} ${what}`, countOf(what) + more);
    return {
      wire,
      later,
      took() {
        if (!isCounted) tally.countFault(kind);
        isCounted = true;
      },
      isOn: (what) => countOf(what) > 0,
      lasts(what, duration, end) {
        add(what, 1);
        later(duration, () => {
          add(what, -1);
          return countOf(what) === 0 ? end() : undefined;
        });
      },
    };
  }
}
