/** One answer out of those of several nodes, each message of which names its node (talosctl-wire.md §1.4). */
import type { CallStatus, Sink } from "#runtime/rpc";
import type { Metadata } from "../../rpc/gen/common/common.ts";
import type { Target } from "../routing.ts";

/** How many other nodes one call waits for at a time. */
export const ASKED_MAX = 16;

/** A message that can name its node. */
export interface Named {
  metadata?: Metadata | undefined;
}

/** How failures of single nodes are told. */
export interface Failures<Message> {
  /** A message without contents. */
  readonly empty: () => Message;
  readonly statusOf: (error: unknown) => CallStatus;
}

/**
 * The messages of all nodes, in the order that they were named; one that fails has a message that says
 * so. Each is asked once, however often it is named.
 */
export async function mergeReplies<Message extends Named>(
  targets: readonly Target[],
  {
    own,
    ask,
    ...failures
  }: Failures<Message> & {
    readonly own: () => Promise<Message>;
    readonly ask: (node: string) => Promise<readonly Message[]>;
  },
): Promise<Message[]> {
  const answers = new Map<string, Promise<readonly Message[]>>();
  const whenRoom = places(ASKED_MAX);
  const answerOf = ({ hostname, isLocal }: Target) => {
    const key = isLocal ? "" : hostname;
    const asked = answers.get(key);
    if (asked !== undefined) return asked;
    const answer = isLocal ? own().then((message) => [message]) : whenRoom(() => ask(hostname));
    answers.set(key, answer);
    return answer;
  };
  const named = targets.map(async (target) => {
    try {
      const metadata = metadataOf(target.hostname);
      return (await answerOf(target)).map((message) => ({ ...message, metadata }));
    } catch (error) {
      return [failed(target, error, failures)];
    }
  });
  return (await Promise.all(named)).flat();
}

/** The messages of all nodes as they come; one that fails says so, and the others go on. */
export async function mergeStreams<Message extends Named>(
  targets: readonly Target[],
  sink: Sink<Message>,
  {
    own,
    ask,
    ...failures
  }: Failures<Message> & {
    readonly own: (sink: Sink<Omit<Message, "metadata">>) => Promise<void>;
    readonly ask: (node: string) => AsyncIterable<Message>;
  },
): Promise<void> {
  const inTurn = turns();
  const follow = async (target: Target): Promise<void> => {
    const metadata = metadataOf(target.hostname);
    const named = (body: Omit<Message, "metadata">) => ({ ...body, metadata }) as Message;
    const send = (body: Omit<Message, "metadata">) => inTurn(() => sink.send(named(body)));
    const deliver = (body: Omit<Message, "metadata">) => inTurn(() => sink.deliver(named(body)));
    try {
      if (target.isLocal) await own({ signal: sink.signal, send, deliver });
      else for await (const message of ask(target.hostname)) await send(message);
    } catch (error) {
      if (sink.signal.aborted) return; // nobody listens
      await inTurn(() => sink.send(failed(target, error, failures)));
    }
  };
  await Promise.all(targets.map(follow));
}

/** Lets so many work at a time, and the rest in the order that they came. */
function places(count: number): <T>(work: () => Promise<T>) => Promise<T> {
  let free = count;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next(); // takes this place
    }
  };
}

/** Lets one after the other write: who wrote waits for room, and the rest behind it. */
function turns(): (write: () => Promise<void> | void) => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  return (write) => {
    const mine = last.then(write);
    last = mine.catch(() => undefined);
    return mine;
  };
}

const metadataOf = (hostname: string): Metadata => ({ hostname, error: "", status: undefined });

function failed<Message extends Named>(
  { hostname }: Target,
  error: unknown,
  { empty, statusOf }: Failures<Message>,
): Message {
  const { code, details: message } = statusOf(error);
  // Clients take a message for an error by its text.
  const status = { code, message, details: [] };
  return { ...empty(), metadata: { hostname, error: message || "failed", status } };
}
