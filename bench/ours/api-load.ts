/** What is asked of the API of a node where there is no Go; bench/go/api_load.go asks the same. */
import { systemClock } from "#runtime";
import { EventType, type StateClient } from "#runtime/rpc";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import {
  callMetadata,
  openConnection,
  reply,
  type Connection,
} from "../../src/apps/client/connection.ts";
import { parseEndpoint } from "../../src/apps/client/endpoint.ts";
import type { Size, Task, Workload } from "../size.ts";
import { Note, noteId } from "./note.ts";
import { each, scattered } from "./operations.ts";
import { perSecond, timed, type Timed } from "./timed.ts";

/** Asks something of a node. @param namespace where the next burst of notes will be */
type Load = (connection: Connection, task: Task, burst: string) => Promise<Timed>;

async function dial({ directory = "", address = "" }: Task): Promise<() => Connection> {
  const pem = (name: string) => readFile(join(directory, name), "utf8");
  const identity = {
    ca: await pem("ca.crt"),
    ...{ crt: await pem("client.crt"), key: await pem("client.key") },
    source: "the benchmark",
  };
  return () => openConnection(parseEndpoint(address), identity, systemClock);
}

const onApi =
  (load: Load): Workload =>
  async (task) => {
    const open = await dial(task);
    const connection = open();
    await load(connection, { ...task, count: task.warmup ?? 0 }, "burst-0");
    const measured = await load(connection, task, "burst-1");
    connection.close();
    return perSecond(measured);
  };

export const apiGet = onApi(({ state }, { count, items = 1, inFlight = 1 }) => {
  const { type } = Note;
  return timed(count, () =>
    each(inFlight, count, (i) => {
      const pointer = { namespace: "bench", type, id: noteId(scattered(i, items)) };
      return reply((done) => state.get({ ...pointer, options: undefined }, metadata, done));
    }),
  );
});

export const apiVersion = onApi(({ machine }, { count, inFlight = 1 }) =>
  timed(count, () =>
    each(inFlight, count, () => reply((done) => machine.version({}, metadata, done))),
  ),
);

const metadata = callMetadata(undefined);

export const apiWatchContents = onApi(({ state }, { count, items = 0 }) =>
  timed(count * items, async () => {
    for (let i = 0; i < count; i++) {
      const watch = openWatch(state, "bench");
      await watch.saw(EventType.CREATED, items);
      watch.end();
    }
  }),
);

export const apiWatchLive = onApi(async ({ state }, { count, watchers = 1, pid = 0 }, burst) => {
  const watches = await opened(Array.from({ length: watchers }, () => openWatch(state, burst)));
  const measured = await timed(count * watchers, () => burstThrough(watches, pid, count));
  for (const watch of watches) watch.end();
  return measured;
});

const WATCHES_BEFORE = 20;
const MB = 1e6;

/** By how much a server grows with its watches, each of which saw some events. */
export const apiWatchMemory: Workload = async (task) => {
  const { watchers = 1, warmup = 0, pid = 0, isApart = false } = task;
  const open = await dial(task);
  const shared = open();
  const early = Array.from({ length: WATCHES_BEFORE }, () => openWatch(shared.state, "burst-1"));
  await opened(early);
  for (const watch of early) watch.end();
  const before = await residentBytes(pid);
  const connections = Array.from({ length: watchers }, () => (isApart ? open() : shared));
  const watches = await opened(connections.map(({ state }) => openWatch(state, "burst-0")));
  await burstThrough(watches, pid, warmup);
  const after = await residentBytes(pid);
  for (const watch of watches) watch.end(); // or the process would stay for them
  for (const connection of [shared, ...connections]) connection.close();
  return (after - before) / MB;
};

type Watch = ReturnType<typeof openWatch>;

function openWatch(state: StateClient, namespace: string) {
  const stream = state.watch(
    {
      ...{ namespace, type: Note.type, id: undefined, apiVersion: 1 },
      options: {
        ...{ bootstrapContents: true, bootstrapBookmark: false, aggregated: false },
        ...{ tailEvents: 0, labelQuery: [], idQuery: undefined },
      },
    },
    metadata,
  );
  const seen = new Map<EventType, number>();
  let look = () => {};
  stream.on("data", ({ event }: { event: readonly { eventType: EventType }[] }) => {
    for (const { eventType } of event) seen.set(eventType, (seen.get(eventType) ?? 0) + 1);
    look();
  });
  const failed = new Promise<never>((_, reject) => stream.on("error", reject));
  failed.catch(() => undefined); // also when it is cancelled
  return {
    saw(type: EventType, count: number): Promise<void> {
      const enough = new Promise<void>((resolve) => {
        look = () => {
          if ((seen.get(type) ?? 0) >= count) resolve();
        };
        look();
      });
      return Promise.race([enough, failed]);
    },
    end: () => stream.cancel(),
  };
}

async function opened(watches: readonly Watch[]): Promise<readonly Watch[]> {
  await Promise.all(watches.map((watch) => watch.saw(EventType.BOOTSTRAPPED, 1)));
  return watches;
}

/** Has the server make its next burst, and waits until every watch has seen it. */
async function burstThrough(watches: readonly Watch[], pid: number, count: Size["count"]) {
  const all = Promise.all(watches.map((watch) => watch.saw(EventType.CREATED, count)));
  process.kill(pid, "SIGUSR2");
  await all;
}

async function residentBytes(pid: number): Promise<number> {
  const { stdout } = await promisify(execFile)("ps", ["-o", "rss=", "-p", String(pid)]);
  return Number(stdout) * 1024;
}
