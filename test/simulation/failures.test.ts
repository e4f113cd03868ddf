/** What becomes of a failure: it is shrunk to the same one, told whole, and a trace that is damaged is refused. */
import { after, at, days, hours, manualClock, minutes, seconds } from "#runtime";
import {
  defineScenario,
  describeFailure,
  explain,
  replay,
  shrink,
  simulate,
  TraceUnreadableError,
  type Operation,
  type SimulationEvent,
} from "#runtime/simulation";
import { describe, expect, test } from "vitest";

const START = at("2030-01-01");
const DAY = days(1);

const hourly = (name: string, count: number): SimulationEvent[] =>
  Array.from({ length: count }, (_, n) => ({
    at: after(START, (n + 1) * hours(1)),
    node: "node",
    kind: "operation",
    name,
  }));

const acting = (operations: Record<string, Operation["run"]>, script: readonly SimulationEvent[]) =>
  defineScenario({
    name: "acting",
    start: START,
    horizon: days(30),
    controllers: () => [],
    operations: Object.fromEntries(
      Object.entries(operations).map(([name, run]) => [name, { rate: 0, run }]),
    ),
    script: () => script,
    always: {
      "nobody counts to 3": ({ files }) => Number(files.get("count") ?? "0") < 3,
    },
  });

const counts: Operation["run"] = async ({ files }) => {
  files.set("count", String(Number(files.get("count") ?? "0") + 1));
};

describe("shrinking", () => {
  test("an error that is thrown shrinks to the same error, and to no other", async () => {
    const scenario = acting(
      {
        breaks: async ({ files }) => {
          if (files.get("primed") === undefined) throw new Error("it was not primed");
          throw new Error("it broke");
        },
        primes: async ({ files }) => {
          files.set("primed", "yes");
        },
      },
      [...hourly("primes", 5), ...hourly("breaks", 6).slice(5)],
    );
    const failed = await simulate(scenario, { seed: 1 });
    expect(failed.failure?.problems[0]).toMatch(/^Error: it broke\n/);
    const small = await shrink(scenario, failed);
    expect(small.failure?.problems[0]).toMatch(/^Error: it broke\n/);
    expect(small.events).toHaveLength(2);
  });

  test("ends with the best that was found when the time is over, or a signal says so", async () => {
    const scenario = acting({ counts }, hourly("counts", 40));
    const failed = await simulate(scenario, { seed: 1 });
    const clock = manualClock(START);
    let runs = 0;
    const late = await shrink(scenario, failed, {
      clock,
      timeMax: seconds(60),
      onProgress() {
        runs++;
        clock.advanceTo(after(clock.now(), minutes(1)));
      },
    });
    expect([runs, late.failure?.property]).toEqual([1, "nobody counts to 3"]);
    const control = new AbortController();
    const stopped = await shrink(scenario, failed, {
      signal: control.signal,
      onProgress: () => control.abort(),
    });
    expect(stopped.failure?.property).toBe("nobody counts to 3");
  });
});

describe("a report", () => {
  test("says how many events there were, and that it tells the last of them only", async () => {
    const scenario = acting(
      { rests: async () => undefined, counts },
      [...hourly("rests", 57), ...hourly("counts", 60).slice(57)].map((event, n) => ({
        ...event,
        at: after(START, (n + 1) * hours(1)),
      })),
    );
    const failed = await simulate(scenario, { seed: 1 });
    const told = describeFailure(scenario, failed, "test");
    expect(told).toContain("\nevents (60, not shrunk, the last 40 of them are):\n");
    const small = await shrink(scenario, failed);
    expect(describeFailure(scenario, small, "test")).toContain("\nevents (3):\n");
  });
});

describe("a trace", () => {
  const scenario = acting({ counts }, hourly("counts", 2));
  const traced = async () => {
    const lines: string[] = [];
    await simulate(scenario, { seed: 1, horizon: DAY, trace: (line) => lines.push(line) });
    return lines;
  };

  test.each(["null", "{", '{"what":"write"}', '{"what":"end","at":"zz"}', '{"what":1}', '"text"'])(
    "that is damaged by %s is told up to there",
    async (line) => {
      const lines = (await traced()).slice(0, 3);
      const told: string[] = [];
      expect(() => {
        for (const text of explain([...lines, line])) told.push(text);
      }).toThrow(new TraceUnreadableError("line 4 of the trace is damaged"));
      expect(told).toHaveLength(3);
    },
  );

  test.each([
    ["seed", {}],
    ["horizon", { seed: 1 }],
    ["horizon", { seed: 1, horizon: 1e300 }],
    ["horizon", { seed: 1, horizon: -1 }],
    ["list of events", { seed: 1, horizon: 1, only: [0.5] }],
  ])("without a proper %s is not run again", async (field, header) => {
    const line = JSON.stringify({ what: "scenario", name: "acting", ...header });
    await expect(replay(scenario, [line])).rejects.toThrow(
      new TraceUnreadableError(`line 1 of the trace is damaged: its ${field} cannot be used`),
    );
  });

  test("runs again until a signal says that it should not", async () => {
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(replay(scenario, await traced(), { signal })).rejects.toThrow("enough");
  });
});
