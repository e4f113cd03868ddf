/** A thread that calls trustd with a wrong token, so many times a second, until it is told to stop. */
import { setTimeout as sleep } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { open, type Dial } from "./connection.ts";
import { joinRequest, paths } from "./requests.ts";

const { dial, connections, perSecond } = workerData as {
  readonly dial: Dial;
  readonly connections: number;
  readonly perSecond: number;
};
const WRONG_TOKEN = "aaaaaa.aaaaaaaaaaaaaaaa";
const TICK_MS = 5;
const SETTLE_MS = 1000;

const over = new AbortController();
parentPort?.once("message", () => over.abort());

const request = await joinRequest(0);
const opened = [];
for (let i = 0; i < connections; i++) opened.push(await open(dial));

let [sent, refused] = [0, 0];
const under: Promise<void>[] = [];
const start = performance.now();
setTimeout(() => parentPort?.postMessage(undefined), SETTLE_MS);
while (!over.signal.aborted) {
  const due = ((performance.now() - start) / 1000) * perSecond;
  while (sent < due) {
    const connection = opened[sent++ % connections]!;
    under.push(
      connection.call(paths.join, WRONG_TOKEN, request).then(({ status }) => {
        if (status !== 0) refused++;
      }),
    );
  }
  await sleep(TICK_MS);
}
await Promise.all(under);
const elapsed = (performance.now() - start) / 1000;
for (const connection of opened) connection.close();
parentPort?.postMessage({ perSecond: refused / elapsed });
