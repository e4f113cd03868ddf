/**
 * Tenants that come, change and go. One controller makes two outputs of each, written together; another
 * holds one of the two by a finalizer and reports on it. Operators meddle with what is not theirs.
 */
import {
  all,
  CodedError,
  defineController,
  defineResource,
  days,
  each,
  exclusive,
  at,
  minutes,
  resource,
  strong,
} from "#runtime";
import {
  defineScenario,
  lasting,
  type NodeView,
  type Operator,
  type Properties,
} from "#runtime/simulation";
import { z } from "zod";

const counted = z.object({ generation: z.number(), by: z.string() });
const kind = (type: string) =>
  defineResource({ type: `${type}.fleet.test.dev`, namespace: "fleet", spec: counted });

const Tenant = kind("Tenants");
const Left = kind("Lefts");
const Right = kind("Rights");
const Report = kind("Reports");

const pairs = defineController({
  name: "fleet.PairController",
  inputs: { tenant: strong(each(Tenant)) },
  outputs: { left: exclusive(Left), right: exclusive(Right) },
  reconcile({ item, inputs }) {
    const spec = { generation: inputs.tenant.spec.generation, by: "pairs" };
    return { outputs: { left: { [item]: spec }, right: { [item]: spec } } };
  },
});

const reports = defineController({
  name: "fleet.ReportController",
  inputs: { lefts: strong(all(Left)) },
  outputs: { reports: exclusive(Report) },
  reconcile({ inputs }) {
    const specs = inputs.lefts.map(({ metadata: { id }, spec: { generation } }) => [
      id,
      resource({ generation, by: "reports" }, { labels: { side: "left" } }),
    ]);
    return { outputs: { reports: Object.fromEntries(specs) as Record<string, never> } };
  },
});

const TENANTS = 4;
/** What the operator was told is stored stands here. */
const WORD = "operator/";

type Act = (operator: Operator, id: string) => Promise<void>;

const acts: readonly Act[] = [
  async function sets({ store, files, random }, id) {
    const generation = random.below(1_000_000);
    const initial = { generation, by: "operator" };
    files.delete(`${WORD}${id}`); // until it is known, anything may stand there
    await store.modify(Tenant, id, (draft) => void (draft.generation = generation), { initial });
    files.set(`${WORD}${id}`, String(generation));
  },
  async function letsGo({ store, files }, id) {
    files.delete(`${WORD}${id}`);
    const pointer = { namespace: Tenant.namespace, type: Tenant.type, id };
    if (!(await store.core.get(pointer))) return;
    await store.teardown(pointer);
    await store.destroy(pointer); // refused while a finalizer stands on it
  },
  async function clearsAway({ store }) {
    for (const { metadata } of await store.core.list(Tenant))
      if (metadata.phase === "tearingDown" && metadata.finalizers.length === 0)
        await store.destroy(metadata);
  },
  async function meddles({ store }, id) {
    await store.modify(Left, id, (draft) => void (draft.by = "meddler"));
  },
];

/** Several things in one moment, while the controllers are at work. */
async function works(operator: Operator): Promise<void> {
  const { random } = operator;
  for (let left = 1 + random.below(8); left > 0; left--) {
    const act = acts[random.below(acts.length + 1)] ?? acts[0];
    await act?.(operator, `t${random.below(TENANTS)}`).catch((error: unknown) => {
      if (!(error instanceof CodedError)) throw error;
    });
  }
}

type Check = (node: NodeView) => readonly string[];
const here = (check: Check) => (world: NodeView) => (world.isUp ? check(world) : []);

/** The longest that a watch lags, and a little more. */
const LAG = minutes(100);

const always = (): Properties => ({
  "two outputs of one reconcile are there together": here(({ list, resource: stored }) =>
    list(Left)
      .filter(({ metadata }) => metadata.phase === "running")
      .filter(({ metadata, spec }) => {
        const right = stored(Right, metadata.id);
        return right?.spec.generation !== spec.generation;
      })
      .map(({ metadata }) => `${metadata.id} has halves`),
  ),
  "no output outlives what it is made of": here(({ list, resource: stored }) =>
    [...list(Left), ...list(Right)]
      .filter(({ metadata }) => stored(Tenant, metadata.id) === null)
      .map(({ metadata }) => `${metadata.type} ${metadata.id} has no tenant`),
  ),
  "no report outlives what it is about": here(({ list, resource: stored }) =>
    list(Report)
      .filter(({ metadata }) => stored(Left, metadata.id) === null)
      .map(({ metadata }) => `${metadata.id} is reported and gone`),
  ),
  "what is made follows what it is made of": lasting(LAG, (world) =>
    world.isUp && world.isCalm(LAG)
      ? world
          .list(Tenant)
          .filter(({ metadata }) => metadata.phase === "running")
          .filter(({ metadata: { id }, spec }) => {
            const [left, report] = [world.spec(Left, id), world.spec(Report, id)];
            return left?.generation !== spec.generation || report?.generation !== spec.generation;
          })
          .map(({ metadata, spec }) => `${metadata.id} ${String(spec.generation)} is not followed`)
      : [],
  ),
  "what an operator was told is stored stands": here(({ list, files }) =>
    list(Tenant)
      .filter(({ metadata }) => metadata.phase === "running")
      .filter(({ metadata, spec }) => {
        const word = files.get(`${WORD}${metadata.id}`);
        return word !== undefined && word !== String(spec.generation);
      })
      .map(({ metadata }) => `${metadata.id} was changed behind the operator's back`),
  ),
  "what a controller owns nobody else writes": here(({ list }) =>
    [...list(Left), ...list(Right)]
      .filter(({ spec, metadata }) => spec.by !== "pairs" || metadata.owner !== pairs.name)
      .map(({ metadata }) => `${metadata.id} was written by another`),
  ),
});

const eventually = (): Properties => ({
  "every tenant has what is made of it, and nobody else": ({ list }) => {
    const of = (wanted: typeof Tenant) =>
      list(wanted)
        .filter(({ metadata }) => metadata.phase === "running")
        .map(({ metadata, spec }) => `${metadata.id}: ${String(spec.generation)}`)
        .join();
    const [tenants, ...others] = [Tenant, Left, Right, Report].map(of);
    return others.every((one) => one === tenants);
  },
  "what is made is made of something": ({ list }) =>
    [...list(Left), ...list(Right), ...list(Report)].every(
      ({ metadata }) => metadata.phase === "running",
    ),
});

/** Ten days of it, with everything that goes wrong. */
export const fleet = defineScenario({
  name: "fleet",
  start: at("2030-01-01"),
  horizon: days(10),
  controllers: () => [pairs, reports],
  kinds: [Tenant, Left, Right, Report],
  operations: { works: { rate: 25, run: works } },
  faults: {
    crash: 10,
    restart: 2,
    pause: 1,
    writeFails: 10,
    writeLate: 2,
    diskFull: 0.3,
    watchEnds: 20,
    watchLags: { rate: 20, for: minutes(90) },
    clockStep: 0.3,
  },
  always,
  eventually,
});
