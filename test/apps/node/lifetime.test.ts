import { expect, test } from "vitest";
import { unlessStopped, untilStopped } from "../../../src/apps/node/lifetime.ts";

const never = new Promise<never>(() => undefined);

test("a signal ends the wait for work that does not end, with its reason", async () => {
  const abort = new AbortController();
  const waiting = unlessStopped(abort.signal, never);
  abort.abort(new Error("enough"));
  await expect(waiting).rejects.toThrow("enough");
  await untilStopped(abort.signal);
});

test("a signal that came before wins even over work that is done", async () => {
  const stopped = unlessStopped(AbortSignal.abort(new Error("enough")), Promise.resolve(1));
  await expect(stopped).rejects.toThrow("enough");
});

test("without a signal it ends as the work does", async () => {
  const { signal } = new AbortController();
  expect(await unlessStopped(signal, Promise.resolve(1))).toBe(1);
  await expect(unlessStopped(signal, Promise.reject(new Error("no")))).rejects.toThrow("no");
});
