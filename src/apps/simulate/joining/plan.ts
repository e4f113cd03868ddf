/**
 * Who joins by what, and what the operator does to tokens and policies meanwhile: instants are drawn for
 * each seed, so that tokens end, are revoked and are spent in the middle of joins.
 */
import { after, days, hours, type Instant, minutes } from "#runtime";
import type { Operation, SimulationEvent, Stream } from "#runtime/simulation";
import { addressOf, CONTROL_PLANE, joinToken, machineToken, STRANGER } from "./cluster.ts";
import {
  appliesPolicy,
  makes,
  removesStranger,
  replacesMachineToken,
  revokes,
  tells,
  type TokenPlan,
} from "./operator.ts";
import { policies } from "./policies.ts";
import { baitOf, BAITS, tries } from "./stranger.ts";

const bounds = (name: string) => ({ dnsNames: [name], addresses: [addressOf(name)] });

/** By name; what nobody has made yet is a token that is wrong. */
const tokens: Readonly<Record<string, Omit<TokenPlan, "name">>> = {
  once: { uses: 1 },
  short: { uses: 0, lifetime: minutes(6) },
  twice: { uses: 2 },
  revoked: { uses: 0 },
  foreign: { uses: 0, bounds: { dnsNames: ["nobody"], addresses: ["127.0.0.250"] } },
  narrow: { uses: 0, bounds: bounds(STRANGER) },
  late: { uses: 0, lifetime: days(365) },
};

/** Which of them workers begin with, over and over; all others have `machine.token`. */
const firstTokens = ["once", "once", "short", "twice", "twice", "revoked", "foreign", "late"];

/** So many of the workers are told a join token. */
const PART = 0.6;

/** The name of the join token that a worker begins with; undefined: it begins with `machine.token`. */
export function firstToken(workers: readonly string[], name: string): string | undefined {
  const place = workers.indexOf(name) - Math.floor(workers.length * (1 - PART));
  return place < 0 ? undefined : firstTokens[place % firstTokens.length];
}

/** Those that a stranger has heard of. */
const leaked = ["once", "short", "twice", "revoked", "narrow"];

interface Step {
  readonly node: string;
  readonly name: string;
  readonly run: Operation["run"];
  /** After the beginning, milliseconds. */
  readonly when: (stream: Stream) => number;
}

const within =
  (from: number, until: number) =>
  (stream: Stream): number =>
    from + stream.below(Math.max(1, until - from));

const atControlPlane = (name: string, run: Operation["run"], when: Step["when"]): Step => ({
  node: CONTROL_PLANE,
  ...{ name, run, when },
});

/** How often a day somebody tries. */
const TRIES = 96;

/** All that is planned for so many days. */
function stepsOf(workers: readonly string[], length: number): readonly Step[] {
  const steps = Object.entries(tokens).map(([name, token]) =>
    atControlPlane(
      `makes the token ${name}`,
      makes({ name, ...token }),
      name === "late" ? within(hours(2), hours(8)) : within(0, minutes(2)),
    ),
  );
  steps.push(
    atControlPlane("revokes a token", revokes("revoked"), within(minutes(1), minutes(30))),
    atControlPlane("revokes one for good", revokes("twice"), within(hours(20), hours(40))),
    atControlPlane("removes the stranger", removesStranger, within(hours(10), hours(60))),
  );
  steps.push(...baitSteps());
  for (let day = 0; day * days(1) < length; day++) {
    steps.push(...policySteps(day));
    steps.push(...againSteps(workers, 2 * day), ...againSteps(workers, 2 * day + 1));
    if (day % 2 === 1) steps.push(...machineTokenSteps(workers, day));
  }
  return steps;
}

/** Tokens that only a stranger has: some end, some are revoked, some are good for one join. */
const baitSteps = (): readonly Step[] =>
  Array.from({ length: BAITS }, (_, bait) => {
    const name = baitOf(bait);
    const ends = bait % 4 === 1;
    const isRevoked = bait % 4 > 1;
    const token = { name, uses: bait % 4 === 3 ? 0 : 1, ...(ends && { lifetime: hours(4) }) };
    return [
      atControlPlane(`makes the token ${name}`, makes(token), within(0, hours(12))),
      ...(isRevoked
        ? [atControlPlane(`revokes the token ${name}`, revokes(name), within(hours(6), hours(36)))]
        : []),
    ];
  }).flat();

function policySteps(day: number): readonly Step[] {
  const begin = days(day);
  return Object.keys(policies).map((name) =>
    atControlPlane(
      `applies the policy ${name}`,
      appliesPolicy(name),
      within(begin, begin + days(1)),
    ),
  );
}

/** Twice a day those who may be without get another token, for one join; where nobody was there, later. */
function againSteps(workers: readonly string[], half: number): readonly Step[] {
  const begin = (days(1) * half) / 2 + hours(6);
  return workers
    .filter((worker) => firstToken(workers, worker) !== undefined)
    .flatMap((worker): Step[] => {
      const name = `again ${worker} ${String(half)}`;
      return [
        ...[0, 2, 4].map((later) =>
          atControlPlane(
            `makes the token ${name}, try ${String(later)}`,
            makes({ name, uses: 1, lifetime: hours(12), bounds: bounds(worker) }),
            within(begin + hours(later), begin + hours(later + 1)),
          ),
        ),
        {
          node: worker,
          name: `is told the token ${name}`,
          run: tells(worker, (operator) => joinToken(operator, name)),
          when: within(begin + hours(1), begin + hours(2)),
        },
      ];
    });
}

function machineTokenSteps(workers: readonly string[], day: number): readonly Step[] {
  const begin = days(day) + hours(12);
  const number = (day + 1) / 2;
  return [
    atControlPlane(
      `replaces machine.token by ${String(number)}`,
      replacesMachineToken(number),
      within(begin, begin + hours(1)),
    ),
    ...workers
      .filter((worker) => firstToken(workers, worker) === undefined)
      .map((worker) => ({
        node: worker,
        name: `is told machine.token ${String(number)}`,
        run: tells(worker, (operator) => machineToken(operator, number)),
        when: within(begin + hours(1), begin + hours(12)),
      })),
  ];
}

/** Operations and events of a scenario with these workers. */
export function planOf(workers: readonly string[], start: Instant, length: number) {
  const steps = stepsOf(workers, length);
  const heard = { leaked, others: workers };
  const operations: Record<string, Operation> = Object.fromEntries(
    steps.map(({ node, name, run }) => [`${node} ${name}`, { rate: 0, run }]),
  );
  operations.tries = { rate: 0, run: tries(heard) };
  return {
    operations,
    script: (stream: Stream): readonly SimulationEvent[] => [
      ...steps.map(({ node, name, when }) => ({
        at: after(start, 1 + when(stream)),
        node,
        kind: "operation" as const,
        name: `${node} ${name}`,
      })),
      ...Array.from({ length: Math.floor((TRIES * length) / days(1)) }, () => ({
        at: after(start, 1 + stream.below(length)),
        node: STRANGER,
        kind: "operation" as const,
        name: "tries",
      })),
      ...deaths(start, length, stream),
    ],
  };
}

/** The control plane dies in the first minutes, and once for so long that everything ends. */
const deaths = (start: Instant, length: number, stream: Stream): readonly SimulationEvent[] => [
  {
    at: after(start, 1 + stream.below(minutes(5))),
    ...{ node: CONTROL_PLANE, kind: "crash", point: "idle", down: 1 + stream.below(hours(3)) },
  },
  {
    at: after(start, hours(12) + stream.below(Math.max(1, length - hours(12)))),
    ...{
      node: CONTROL_PLANE,
      kind: "crash",
      point: "idle",
      down: 1 + stream.below(hours(32) / 2 ** stream.below(4)),
    },
  },
];
