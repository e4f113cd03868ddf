/** On a store that writes one thing at a time: in which order, and what happens when one fails. */
import { expect, test } from "vitest";
import {
  ControllerStatus,
  defineController,
  exclusive,
  maybe,
  pointerTo,
  strong,
  VersionConflictError,
} from "#runtime";
import { storeOver, type Write } from "#runtime/store";
import { mount } from "#runtime/testing";
import { Int, START, Str } from "./toys.ts";
import { Unatomic } from "./unatomic-core.ts";

const NAME = "test.Switcher";

/** By the value of its input: makes `a` and `b`, or `b` changed and `c`. */
const switcher = defineController({
  name: NAME,
  inputs: { int: strong(maybe(Int, "int")) },
  outputs: { strs: exclusive(Str) },
  reconcile({ inputs: { int } }) {
    if (int === null) return { outputs: { strs: {} } };
    const value = String(int.spec.value);
    const ids = int.spec.value === 1 ? ["a", "b"] : ["b", "c"];
    return { outputs: { strs: Object.fromEntries(ids.map((id) => [id, { value }])) } };
  },
});

async function mounted() {
  let core: Unatomic | undefined;
  const t = await mount(switcher, {
    now: START,
    wrap(store) {
      core = new Unatomic(store.core);
      return storeOver(core);
    },
  });
  if (core === undefined) throw new Error("not wrapped");
  return { t, core };
}

const line = (write: Write): string =>
  write.op === "destroy"
    ? `destroy ${write.pointer.id}`
    : `${write.op} ${write.resource.metadata.id} ${write.resource.metadata.phase}`;

/** Events come a turn later than their writes. */
async function quiet(t: Awaited<ReturnType<typeof mount>>): Promise<void> {
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    await t.settled();
  }
}

test("finalizers go on first; then it creates, updates, tears down and destroys; last they come off", async () => {
  const { t, core } = await mounted();
  await using _ = t;
  await t.create(Int, "int", { value: 1 });
  await quiet(t);
  const mine = () =>
    core.writes
      .splice(0)
      .filter(
        (write) => write.op === "destroy" || write.resource.metadata.type !== ControllerStatus.type,
      )
      .map(line);
  expect(mine()).toEqual(["update int running", "create a running", "create b running"]);
  await t.store.addFinalizers(pointerTo(Str, "b"), "somebody");
  await t.update(Int, "int", (int) => void (int.value = 2));
  await quiet(t);
  expect(mine()).toEqual([
    "create c running",
    "update b running",
    "update a tearingDown",
    "destroy a",
  ]);
  await t.store.dropFinalizers(pointerTo(Str, "b"), "somebody");
  await t.store.teardown(pointerTo(Int, "int"));
  await quiet(t);
  expect(mine()).toEqual([
    "update b tearingDown",
    "destroy b",
    "update c tearingDown",
    "destroy c",
    "update int tearingDown",
  ]);
  expect(t.resource(Int, "int")?.metadata.finalizers).toEqual([]);
});

test("a race that is lost in the middle is run again, and ends as it should", async () => {
  const { t, core } = await mounted();
  await using _ = t;
  await t.create(Int, "int", { value: 1 });
  await quiet(t);
  let races = 1;
  core.beforeWrite = (write) => {
    if (write.op === "destroy" || write.resource.metadata.id !== "b" || races-- <= 0) return;
    throw new VersionConflictError(pointerTo(Str, "b"), 9, 1);
  };
  await t.update(Int, "int", (int) => void (int.value = 2));
  await quiet(t);
  expect(t.list(Str).map(({ metadata, spec }) => [metadata.id, spec.value])).toEqual([
    ["b", "2"],
    ["c", "2"],
  ]);
  expect(t.spec(ControllerStatus, NAME)).toMatchObject({ state: "ready", attempt: 0 });
});
