/** Items that run together: it must not show, but in the number of commits. */
import { expect, test } from "vitest";
import {
  all,
  ControllerStatus,
  defineController,
  each,
  exclusive,
  pointerTo,
  seconds,
  strong,
} from "#runtime";
import { mount } from "#runtime/testing";
import { flaky } from "./flaky-core.ts";
import { Int, intToStr, START, Str } from "./toys.ts";

const now = START;
const ids = Array.from({ length: 50 }, (_, i) => `i${i}`);

/** Mounts, and creates all items in one turn. */
async function burst(
  controller: Parameters<typeof mount>[0],
  prepare: (t: Awaited<ReturnType<typeof mount>>) => Promise<unknown> = async () => {},
) {
  const { wrap, core } = flaky();
  const t = await mount(controller, { now, wrap });
  await t.create(Int, "first", { value: 0 }); // the engine learns how the controller returns
  await prepare(t);
  const commits: number[] = [];
  core().beforeCommit = (writes) => void commits.push(writes.length);
  await Promise.all(ids.map((id, value) => t.store.create(Int, id, { value })));
  await t.settled();
  return { t, core: core(), commits };
}

test("the outputs of many items are in few commits, with their finalizers", async () => {
  const { t, commits } = await burst(intToStr());
  await using _ = t;
  expect(t.list(Str)).toHaveLength(ids.length + 1);
  expect(t.list(Int).every(({ metadata }) => metadata.finalizers.length === 1)).toBe(true);
  expect(commits.length).toBeLessThan(5);
  expect(commits.reduce((sum, writes) => sum + writes)).toBe(2 * ids.length);
});

test("an item that throws is alone in that, and is called once", async () => {
  const calls: string[] = [];
  const controller = defineController({
    name: "test.Picky",
    inputs: { int: each(Int) },
    outputs: { str: exclusive(Str) },
    reconcile({ inputs, item }) {
      calls.push(item);
      if (inputs.int.spec.value === 7) throw new Error("seven");
      return { outputs: { str: { [item]: { value: item } } } };
    },
  });
  const { t } = await burst(controller);
  await using _ = t;
  expect(t.list(Str)).toHaveLength(ids.length);
  expect(calls.filter((item) => item === "i7")).toHaveLength(1);
  expect(t.spec(ControllerStatus, "test.Picky")).toMatchObject({
    state: "failing",
    attempt: 1,
    error: { message: "seven" },
    lastReason: `${Int.type}(test/i7)`,
  });
});

test("an item whose output belongs to somebody else stops no other", async () => {
  const { t } = await burst(intToStr(), (mounted) => mounted.create(Str, "i9", { value: "mine" }));
  await using _ = t;
  expect(t.list(Str)).toHaveLength(ids.length + 1);
  expect(t.spec(Str, "i9")).toEqual({ value: "mine" });
  expect(t.resource(Int, "i9")?.metadata.finalizers).toEqual([]); // nothing of it was written
  expect(t.spec(ControllerStatus, intToStr().name)?.error?.code).toBe("ERR_OWNER_CONFLICT");
});

test("an item that turns out to wait is awaited, not called again, and those after it run", async () => {
  const calls: string[] = [];
  let atOnce = 0;
  let most = 0;
  const controller = defineController({
    name: "test.Sometimes",
    inputs: { int: each(Int) },
    outputs: { str: exclusive(Str) },
    concurrency: 2,
    reconcile({ inputs, item }) {
      calls.push(item);
      const outputs = { str: { [item]: { value: item } } };
      if (inputs.int.spec.value < 20) return { outputs };
      most = Math.max(most, ++atOnce);
      return new Promise<{ outputs: typeof outputs }>((resolve) =>
        setImmediate(() => {
          atOnce--;
          resolve({ outputs });
        }),
      );
    },
  });
  const { t } = await burst(controller);
  await using _ = t;
  expect(t.list(Str)).toHaveLength(ids.length + 1);
  expect(calls).toHaveLength(ids.length + 1);
  expect(most).toBe(2);
});

test("who reads what other items write gets one item at a time", async () => {
  const allocator = defineController({
    name: "test.Allocator",
    inputs: { int: each(Int), taken: all(Str) },
    outputs: { str: exclusive(Str) },
    reconcile({ inputs, held, item }) {
      const mine = held.str[item];
      const taken = new Set(inputs.taken.map(({ spec }) => spec.value));
      let free = 0;
      while (taken.has(String(free))) free++;
      return { outputs: { str: { [item]: mine ?? { value: String(free) } } } };
    },
  });
  const { t } = await burst(allocator);
  await using _ = t;
  expect(new Set(t.list(Str).map(({ spec }) => spec.value)).size).toBe(ids.length + 1);
});

test("items that share a strong input run one at a time", async () => {
  const controller = defineController({
    name: "test.Sharing",
    inputs: { int: each(Int), strs: strong(all(Str)) },
    outputs: {},
    reconcile: () => ({ outputs: {} }),
  });
  const { t } = await burst(controller, (mounted) => mounted.create(Str, "x", { value: "" }));
  await using _ = t;
  expect(t.resource(Str, "x")?.metadata.finalizers).toEqual(["test.Sharing"]);
  expect(t.spec(ControllerStatus, "test.Sharing")?.state).toBe("ready");
});

test("an item that lost a race in between runs again, by itself", async () => {
  const { wrap, core } = flaky();
  await using t = await mount(intToStr(), { now, wrap });
  for (const id of ids) await t.create(Int, id, { value: 1 });
  let races = 1;
  core().beforeCommit = async (writes) => {
    const concerns = writes.some(({ owner }) => owner === intToStr().name);
    if (!concerns || races-- <= 0) return;
    await t.store.modify(Str, "i3", (str) => void (str.value = "meddled"), {
      owner: intToStr().name,
    });
  };
  await Promise.all(ids.map((id) => t.store.modify(Int, id, (int) => void (int.value = 2))));
  await t.settled();
  expect(t.list(Str).every(({ spec }) => spec.value === "2")).toBe(true);
  expect(races).toBeLessThan(1);
});

test("the store cannot be read: all of them try again", async () => {
  const { t, core } = await burst(intToStr());
  await using _ = t;
  core.beforeSnapshot = () => {
    throw new Error("disk gone");
  };
  await Promise.all(ids.map((id) => t.store.modify(Int, id, (int) => void (int.value = -1))));
  await t.settled();
  expect(t.spec(ControllerStatus, intToStr().name)?.error?.message).toBe("disk gone");
  core.beforeSnapshot = () => {};
  await t.advance(seconds(60));
  expect(t.spec(Str, "i49")).toEqual({ value: "-1" });
  expect(t.resource(Str, "i49")?.metadata.owner).toBe(intToStr().name);
  expect((await t.store.core.get(pointerTo(Str, "first")))?.spec).toEqual({ value: "0" });
});
