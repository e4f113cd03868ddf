import { ACTIVE, MachineConfig, SecurityStatus, TimeStatus } from "#resources";
import { after, type Clock, days, minutes, seconds } from "#runtime";
import { mount } from "#runtime/testing";
import { expect, test } from "vitest";
import {
  type AskTime,
  timeStatusController,
} from "../../../src/controllers/runtime/time-status.ts";
import { controlPlaneConfig, mountNode, START } from "../control-plane.ts";
import { differing, serialNumbers } from "../surroundings.ts";

const withTimeDisabled = controlPlaneConfig.replace(
  "\nmachine:\n",
  "\nmachine:\n    time:\n        disabled: true\n",
);

const keeping = (askTime: AskTime, clock: Clock) =>
  timeStatusController({ askTime, onStep: (listener) => clock.onStep(listener) });

async function keeper(synced = false, source = "chrony") {
  const says = { synced, source };
  let asked = 0;
  const askTime = () => {
    asked++;
    return Promise.resolve({ ...says });
  };
  const t = await mount((clock) => keeping(askTime, clock), { now: START });
  return { ...t, says, asked: () => asked };
}

test("whoever keeps the time is asked again and again until the clock is right", async () => {
  await using t = await keeper();
  expect(t.spec(TimeStatus, "node")).toMatchObject({ synced: false, source: "chrony" });
  await t.advance(seconds(4));
  expect(t.asked()).toBe(1);
  await t.advance(seconds(11));
  expect(t.asked()).toBe(4);
  t.says.synced = true;
  await t.advance(seconds(5));
  expect(t.spec(TimeStatus, "node")?.synced).toBe(true);
});

test("once it is right it stays so, and is asked once an hour", async () => {
  await using t = await keeper(true);
  await t.advance(minutes(59));
  expect(t.asked()).toBe(1);
  t.says.synced = false;
  await t.advance(minutes(1));
  expect(t.asked()).toBe(2);
  expect(t.spec(TimeStatus, "node")?.synced).toBe(true);
});

test("asking for the same answer writes nothing", async () => {
  await using t = await keeper();
  const before = t.resource(TimeStatus, "node");
  await t.advance(minutes(5));
  expect(t.asked()).toBeGreaterThan(50);
  expect(t.resource(TimeStatus, "node")).toBe(before);
});

test("a node that shall not keep time counts as synced, and nobody is asked", async () => {
  await using t = await keeper();
  await t.create(MachineConfig, ACTIVE, { yaml: withTimeDisabled });
  const asked = t.asked();
  expect(t.spec(TimeStatus, "node")).toMatchObject({ synced: true, syncDisabled: true });
  await t.advance(minutes(60));
  expect(t.asked()).toBe(asked);
  await t.update(MachineConfig, ACTIVE, () => ({ yaml: controlPlaneConfig }));
  expect(t.spec(TimeStatus, "node")).toMatchObject({ synced: false, syncDisabled: false });
});

test("where nobody keeps the time, nobody is asked again", async () => {
  await using t = await keeper(true, "none");
  await t.advance(minutes(60));
  expect(t.asked()).toBe(1);
});

test("a keeper that cannot be asked is asked later, and what is known stays", async () => {
  let broken = false;
  const askTime = () =>
    broken ? Promise.reject(new Error("no bus")) : Promise.resolve({ synced: true, source: "x" });
  await using t = await mount((clock) => keeping(askTime, clock), {
    now: START,
  });
  broken = true;
  await t.advance(minutes(10));
  expect(t.spec(TimeStatus, "node")).toMatchObject({ synced: true, source: "x" });
});

test("switching time off reissues nothing", async () => {
  await using node = await mountNode();
  const before = serialNumbers(node);
  await node.update(MachineConfig, ACTIVE, () => ({ yaml: withTimeDisabled }));
  expect(node.spec(TimeStatus, "node")?.syncDisabled).toBe(true);
  expect(differing(before, serialNumbers(node))).toEqual([]);
});

test.each([
  { by: minutes(-16), epochs: 1, seconds: -960 },
  { by: minutes(15), epochs: 1, seconds: 900 },
  { by: minutes(14), epochs: 0, seconds: 840 },
])("a step of the clock by $seconds s is told, and counted when it is large", async (step) => {
  await using t = await keeper(true);
  expect(t.spec(TimeStatus, "node")?.lastStep).toBeUndefined();
  t.clock.stepTo(after(t.clock.now(), step.by));
  await t.settled();
  const at = new Date(t.clock.now()).toISOString().replace(".000Z", "Z");
  expect(t.spec(TimeStatus, "node")).toMatchObject({
    epoch: step.epochs,
    lastStep: { at, seconds: step.seconds },
  });
});

test("a step of the clock is a finding for a day", async () => {
  await using node = await mountNode();
  const steps = () =>
    node.spec(SecurityStatus, "node")?.findings.filter(({ reason }) => reason === "ClockStep");
  expect(steps()).toEqual([]);
  node.clock.stepTo(after(node.clock.now(), days(-3)));
  await node.settled();
  expect(
    steps()
      ?.map(({ message }) => message)
      .join(),
  ).toMatch(/was set back by 3 days at /);
  await node.advance(days(2));
  expect(steps()).toEqual([]);
});
