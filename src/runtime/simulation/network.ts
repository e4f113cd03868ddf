/**
 * Calls between the processes of simulated machines. A call and its answer are a message each, and each
 * message may be lost, late, come twice or be overtaken, as the network between two nodes happens to be.
 */
import { CodedError } from "../errors.ts";
import { after, instantOf, seconds, type Instant } from "../instant.ts";
import type { Kernel } from "./kernel/kernel.ts";
import { streamOf, type Stream } from "./kernel/streams.ts";

/** Nobody answered in time; whether the call was heard is not known. */
export class CallTimedOutError extends CodedError {
  readonly code = "ERR_CALL_TIMED_OUT";
}

/** Whoever was called failed, and said so. */
export class CallRefusedError extends CodedError {
  readonly code = "ERR_CALL_REFUSED";
}

/** Answers calls; a call that comes twice is answered twice. */
export type CallHandler = (request: Uint8Array, from: string) => Promise<Uint8Array> | Uint8Array;

/** How a process talks to those on other machines. */
export interface Network {
  /**
   * Calls a service of another machine.
   *
   * @param timeout milliseconds, default 10 s
   * @throws {CallTimedOutError} {@link CallRefusedError}
   */
  call(to: string, service: string, request: Uint8Array, timeout?: number): Promise<Uint8Array>;
  /** Answers calls of a service. @returns a function that ends that */
  serve(service: string, handler: CallHandler): () => void;
}

/** What travels. */
export type Message = { readonly id: string; readonly from: string } & (
  | { readonly kind: "call"; readonly service: string; readonly body: Uint8Array }
  | { readonly kind: "answer"; readonly body: Uint8Array }
  | { readonly kind: "refusal"; readonly text: string }
);

/** Nobody writes into what others have sent or got. */
const copyOf = (message: Message): Message =>
  "body" in message ? { ...message, body: new Uint8Array(message.body) } : message;

/** What is wrong with the messages from and to a node. */
export interface NetworkTrouble {
  readonly node: string;
  /** Only with this one of the other nodes, by a number in [0, 1); left out: with all. */
  readonly which?: number | undefined;
  /** The part of the messages that is lost, 0 to 1. */
  readonly lost?: number;
  /** The part of the messages that comes twice, 0 to 1. */
  readonly twice?: number;
  /** Milliseconds by which a message is late at most. */
  readonly late?: number;
  /** Called for each message that it does something to. */
  readonly took?: () => void;
}

const isApart = ({ lost = 0, late = 0 }: NetworkTrouble): boolean => lost > 0 || late > 0;
const pairOf = (...nodes: readonly [string, string]): string => [...nodes].sort().join(" ");

/** Whether something with a probability takes effect on a message. */
const hits = (stream: Stream, part: number, took: (() => void) | undefined): boolean => {
  const isHit = stream.fraction() < part;
  if (isHit) took?.();
  return isHit;
};

/** Milliseconds that a message takes when nothing is wrong. */
const LATENCY = { least: 1, most: 5 };
const TIMEOUT = seconds(10);

/** What carries messages. */
export interface WireOptions {
  readonly seed: number;
  readonly kernel: Kernel;
  readonly nodes: readonly string[];
  /** Hands a message to whoever runs on a node by then. */
  readonly deliver: (to: string, message: Message) => Promise<void>;
  /** Told of each message that is sent, and of what becomes of it. */
  readonly onSent: (from: string, to: string, message: Message, copies: number) => void;
}

/** The network between all nodes. */
export class Wire {
  readonly #options: WireOptions;
  readonly #troubles = new Set<NetworkTrouble>();
  /** By two nodes in order, when something ended that kept them apart. */
  readonly #apartUntil = new Map<string, Instant>();
  readonly #streams = new Map<string, Stream>();

  constructor(options: WireOptions) {
    this.#options = options;
  }

  /** From now on something is wrong. @returns a function that ends that */
  trouble(trouble: NetworkTrouble): () => void {
    this.#troubles.add(trouble);
    return () => {
      this.#end(trouble);
    };
  }

  /** From now on nothing is wrong. */
  heal(): void {
    for (const trouble of this.#troubles) this.#end(trouble);
  }

  /** Whether for so many milliseconds no message between two nodes was lost or late. */
  isWhole(one: string, other: string, duration: number): boolean {
    for (const trouble of this.#troubles)
      if (isApart(trouble) && this.#concerns(trouble, one, other)) return false;
    const until = this.#apartUntil.get(pairOf(one, other));
    return until === undefined || this.#options.kernel.now - until > duration;
  }

  #end(trouble: NetworkTrouble): void {
    if (!this.#troubles.delete(trouble) || !isApart(trouble)) return;
    const { nodes, kernel } = this.#options;
    const { node } = trouble;
    for (const other of nodes)
      if (this.#concerns(trouble, node, other))
        this.#apartUntil.set(pairOf(node, other), kernel.now);
  }

  /** Sends a message at an instant of true time. */
  send(to: string, message: Message, now: Instant): void {
    const { kernel, deliver, onSent } = this.#options;
    const stream = this.#streamOf(message.from, to);
    const troubles = [...this.#troubles].filter((trouble) =>
      this.#concerns(trouble, message.from, to),
    );
    const isLost = troubles.some(({ lost = 0, took }) => hits(stream, lost, took));
    const isTwice = troubles.some(({ twice = 0, took }) => hits(stream, twice, took));
    const copies = isLost ? 0 : isTwice ? 2 : 1;
    onSent(message.from, to, message, copies);
    for (let copy = 0; copy < copies; copy++) {
      const late = troubles.reduce((sum, { late: most = 0, took }) => {
        if (most > 0) took?.();
        return sum + stream.below(most + 1);
      }, 0);
      const takes = LATENCY.least + stream.below(LATENCY.most) + late;
      const carried = copyOf(message);
      kernel.at(after(now, takes), () => deliver(to, carried));
    }
  }

  #concerns({ node, which }: NetworkTrouble, from: string, to: string): boolean {
    if (from !== node && to !== node) return false;
    if (which === undefined) return true;
    const others = this.#options.nodes.filter((name) => name !== node);
    return others[Math.floor(which * others.length)] === (from === node ? to : from);
  }

  #streamOf(from: string, to: string): Stream {
    const path = `${from} ${to}`;
    let stream = this.#streams.get(path);
    if (stream === undefined) {
      stream = streamOf(this.#options.seed, "network", from, to);
      this.#streams.set(path, stream);
    }
    return stream;
  }
}

/** What the network of a process stands on. */
export interface ProcessNetworkOptions {
  readonly node: string;
  /** Tells the calls of this process from those of others before it. */
  readonly boot: number;
  readonly send: (to: string, message: Message) => void;
  /** True time, as far as this process has come. */
  readonly time: () => Instant;
  /** Lets something happen in the process at an instant of true time. */
  readonly schedule: (when: Instant, run: () => void) => () => void;
}

interface Waiting {
  readonly answered: PromiseWithResolvers<Uint8Array>;
  readonly cancel: () => void;
}

/** The network as one process sees it; who waits for an answer when it ends waits for ever. */
export class ProcessNetwork implements Network {
  readonly #options: ProcessNetworkOptions;
  readonly #services = new Map<string, CallHandler>();
  readonly #waiting = new Map<string, Waiting>();
  readonly #answering = new Set<Promise<void>>();
  readonly #called = Promise.withResolvers<undefined>();
  #calls = 0;
  /** How many wait for something outside of the process that is no other node. */
  #pauses = 0;

  constructor(options: ProcessNetworkOptions) {
    this.#options = options;
  }

  /** How many calls have no answer yet, and how many devices have not done theirs. */
  get waiting(): number {
    return this.#waiting.size + this.#pauses;
  }

  /** How many calls there were. */
  get calls(): number {
    return this.#calls;
  }

  /** Resolves when every call that has come is answered. */
  async answered(): Promise<void> {
    while (this.#answering.size > 0) await Promise.all(this.#answering);
  }

  /** Resolves with the first call, or the first time that a device takes. */
  get called(): Promise<undefined> {
    return this.#called.promise;
  }

  call(to: string, service: string, body: Uint8Array, timeout = TIMEOUT): Promise<Uint8Array> {
    const { node, boot, send, time, schedule } = this.#options;
    const id = `${node}/${boot}/${this.#calls++}`;
    const answered = Promise.withResolvers<Uint8Array>();
    const cancel = schedule(instantOf(time() + timeout), () => {
      this.#waiting.delete(id);
      answered.reject(
        new CallTimedOutError(`${to} did not answer ${service} within ${timeout} ms`),
      );
    });
    this.#waiting.set(id, { answered, cancel });
    this.#called.resolve(undefined);
    send(to, { kind: "call", id, from: node, service, body });
    return answered.promise;
  }

  /** Resolves after so many milliseconds of true time. */
  takes(duration: number): Promise<void> {
    const { time, schedule } = this.#options;
    const over = Promise.withResolvers<undefined>();
    this.#pauses++;
    schedule(instantOf(time() + duration), () => {
      this.#pauses--;
      over.resolve(undefined);
    });
    this.#called.resolve(undefined);
    return over.promise;
  }

  serve(service: string, handler: CallHandler): () => void {
    if (this.#services.has(service)) throw new TypeError(`${service} is served already`);
    this.#services.set(service, handler);
    return () => {
      this.#services.delete(service);
    };
  }

  /** A message has come. */
  receive(message: Message): void {
    if (message.kind === "call") {
      const answer = this.#answer(message);
      this.#answering.add(answer);
      void answer.then(() => this.#answering.delete(answer));
      return;
    }
    const waiting = this.#waiting.get(message.id);
    if (waiting === undefined) return; // answered before, or too late
    this.#waiting.delete(message.id);
    waiting.cancel();
    if (message.kind === "answer") waiting.answered.resolve(message.body);
    else waiting.answered.reject(new CallRefusedError(message.text));
  }

  async #answer({ id, from, service, body }: Message & { kind: "call" }): Promise<void> {
    const { node, send } = this.#options;
    const handler = this.#services.get(service);
    try {
      if (handler === undefined) throw new TypeError(`${node} does not serve ${service}`);
      send(from, { kind: "answer", id, from: node, body: await handler(body, from) });
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      send(from, { kind: "refusal", id, from: node, text });
    }
  }
}
