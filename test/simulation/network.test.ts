/** Two machines that talk: what the network does to them, and what comes of it once it is whole. */
import {
  at,
  days,
  defineController,
  defineResource,
  exclusive,
  hours,
  minutes,
  one,
  after,
} from "#runtime";
import {
  type Counts,
  defineScenario,
  describeFailure,
  simulate,
  type WorldView,
} from "#runtime/simulation";
import { describe, expect, test } from "vitest";
import { z } from "zod";

const Question = defineResource({
  type: "Questions.test.dev",
  namespace: "test",
  spec: z.object({ text: z.string() }),
});
const Reply = defineResource({
  type: "Replies.test.dev",
  namespace: "test",
  spec: z.object({ to: z.string(), text: z.string() }),
});

const bytes = (text: string) => new TextEncoder().encode(text);
const textOf = (message: Uint8Array) => new TextDecoder().decode(message);

const talk = (faults: Readonly<Record<string, number>>, isRefused = false) => {
  const heard: string[] = [];
  const scenario = defineScenario({
    name: "talk",
    start: at("2030-01-01"),
    horizon: days(2),
    nodes: ["left", "right"],
    kinds: [Question, Reply],
    controllers({ name, network }) {
      if (name === "right") {
        network.serve("echo", (request, from) => {
          if (isRefused) throw new Error("nobody is at home");
          heard.push(`${from}: ${textOf(request)}`);
          return bytes(textOf(request).toUpperCase());
        });
        return [];
      }
      return [
        defineController({
          name: "test.AskController",
          inputs: { question: one(Question, "self") },
          outputs: { reply: exclusive(Reply) },
          async reconcile({ inputs, held, clock }) {
            const to = inputs.question.spec.text;
            if (held.reply.self?.to === to) return { outputs: { reply: held.reply } };
            const text = textOf(await network.call("right", "echo", bytes(to)));
            return {
              outputs: { reply: { self: { to, text } } },
              wakeAt: after(clock.now(), minutes(1)),
            };
          },
        }),
      ];
    },
    setup: async ({ name, create }) => {
      if (name === "left") await create(Question, "self", { text: "a" });
    },
    operations: {
      ask: {
        rate: 50,
        run: async ({ name, modify, random }) => {
          if (name !== "left") return;
          const text = `q${random.bytes(2).join("-")}`;
          await modify(Question, "self", (draft) => {
            draft.text = text;
          });
        },
      },
    },
    faults,
    always: {
      "a reply is to what was asked": ({ spec }) => {
        const reply = spec(Reply, "self");
        return reply === null || reply.text === reply.to.toUpperCase();
      },
    },
    eventually: {
      "the last question is answered": ({ spec }) =>
        isRefused || spec(Reply, "self")?.to === spec(Question, "self")?.text,
    },
  });
  return { scenario, heard };
};

const many = async (faults: Readonly<Record<string, number>>): Promise<Counts> => {
  let last: Counts | undefined;
  for (let seed = 1; seed <= 10; seed++) {
    const { scenario } = talk(faults);
    const result = await simulate(scenario, { seed });
    expect(result.failure && describeFailure(scenario, result, "test")).toBeNull();
    if (Object.keys(result.counts.faults).length > 0) last = result.counts;
  }
  if (last === undefined) throw new Error("no seed had a fault");
  return last;
};

describe("between two nodes", () => {
  test.each(["partition", "messagesLost", "messagesTwice", "messagesLate", "crash", "pause"])(
    "%s does not keep a question from being answered in the end",
    async (kind) => {
      const counts = await many({ [kind]: kind === "messagesLate" ? 100 : 10 });
      expect(counts.faults[kind]).toBeGreaterThan(0);
    },
  );

  test("the same seed says the same things", async () => {
    const faults = { partition: 2, messagesLost: 5, messagesTwice: 5, messagesLate: 5, crash: 2 };
    const [one, two] = [talk(faults), talk(faults)];
    const [first, second] = await Promise.all([
      simulate(one.scenario, { seed: 3 }),
      simulate(two.scenario, { seed: 3 }),
    ]);
    expect(second).toEqual(first);
    expect(two.heard).toEqual(one.heard);
    expect(one.heard.length).toBeGreaterThan(10);
  });

  test("a message can come twice", async () => {
    const { scenario, heard } = talk({});
    const script = () => [
      {
        at: after(scenario.start, 1),
        node: "left",
        kind: "messagesTwice" as const,
        for: hours(6),
        part: 1,
      },
    ];
    await simulate({ ...scenario, script }, { seed: 3 });
    expect(new Set(heard).size).toBeLessThan(heard.length);
  });

  test("a call that nobody answers fails, and is tried again", async () => {
    const { scenario } = talk({});
    const script = () => [
      { at: after(scenario.start, 1), node: "right", kind: "partition" as const, for: hours(6) },
    ];
    const lines: string[] = [];
    const trace = (line: string) => lines.push(line);
    const result = await simulate({ ...scenario, script }, { seed: 3, trace });
    expect(result.failure).toBeNull();
    expect(lines.join("\n")).toContain("right did not answer echo within 10000 ms");
  });

  test("a property is told who was kept from whom, and for how long not any more", async () => {
    const { scenario } = talk({});
    const begins = after(scenario.start, hours(1));
    const event = { at: begins, node: "right", for: hours(6), which: 0 };
    const heard: string[] = [];
    const reached = (kind: "partition" | "messagesTwice") => ({
      ...scenario,
      script: () => [kind === "partition" ? { kind, ...event } : { kind, part: 1, ...event }],
      always: () => ({
        "somebody looks": ({ nodes: [left], now }: WorldView) => {
          const [at, lately] = [left?.isReached("right"), left?.isReached("right", hours(1))];
          if (now > begins) heard.push(`${kind} ${String(at)} ${String(lately)}`);
          return true;
        },
      }),
    });
    await simulate(reached("partition"), { seed: 3 });
    await simulate(reached("messagesTwice"), { seed: 3 });
    expect([...new Set(heard)]).toEqual([
      "partition false false",
      "partition true false",
      "partition true true",
      "messagesTwice true true",
    ]);
  });

  test("while a device takes its time, other calls are answered", async () => {
    const { scenario } = talk({});
    const order: string[] = [];
    const slow = (takes: number) =>
      simulate(
        {
          ...scenario,
          controllers: () => [],
          setup: async () => undefined,
          operations: {},
          always: () => ({}),
          eventually: () => ({}),
          boot: async ({ name, network, takes: device }) => {
            if (name === "right")
              network.serve("sign", async (request) => {
                order.push(`begins ${textOf(request)}`);
                if (takes > 0) await device(takes);
                order.push(`ends ${textOf(request)}`);
                return request;
              });
            else
              for (const one of ["a", "b"])
                void network.call("right", "sign", bytes(one)).then(
                  () => order.push(`answered ${one}`),
                  () => order.push("lost"),
                );
          },
        },
        { seed: 3, horizon: hours(1) },
      );
    await slow(minutes(0.1));
    const [first, second] = order;
    expect([first, second].sort()).toEqual(["begins a", "begins b"]);
    expect(order.filter((line) => line.startsWith("answered"))).toHaveLength(2);
    order.length = 0;
    await slow(0);
    expect(order[1]).toMatch(/^ends/);
  });

  test("who is called may refuse", async () => {
    const { scenario } = talk({}, true);
    const lines: string[] = [];
    const trace = (line: string) => lines.push(line);
    const result = await simulate(scenario, { seed: 3, trace });
    expect(result.failure).toBeNull();
    expect(lines.join("\n")).toContain("ERR_CALL_REFUSED");
  });
});
