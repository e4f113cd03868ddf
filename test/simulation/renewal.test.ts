/** The scenario of STYLE: a lease that is renewed before it ends, and bugs that a simulation has to find. */
import {
  at,
  days,
  defineController,
  defineResource,
  exclusive,
  hours,
  instantOf,
  one,
} from "#runtime";
import {
  defineScenario,
  describeFailure,
  explain,
  replay,
  shrink,
  simulate,
} from "#runtime/simulation";
import { expect, test } from "vitest";
import { z } from "zod";

const Tenant = defineResource({
  type: "Tenants.test.dev",
  namespace: "test",
  spec: z.object({ name: z.string() }),
});
const Lease = defineResource({
  type: "Leases.test.dev",
  namespace: "test",
  spec: z.object({ notAfter: z.number(), tenant: z.string() }),
});

const leases = (renews: boolean) =>
  defineController({
    name: "test.LeaseController",
    inputs: { tenant: one(Tenant, "self") },
    outputs: { lease: exclusive(Lease) },
    reconcile({ inputs, held, clock }) {
      const now = clock.now();
      const tenant = inputs.tenant.spec.name;
      const before = held.lease.self;
      const isOf = before?.tenant === tenant;
      const keep = isOf && now < before.notAfter - hours(8) && now >= before.notAfter - hours(24);
      const lease = keep ? before : { notAfter: now + hours(24), tenant };
      return {
        outputs: { lease: { self: lease } },
        wakeAt: renews ? instantOf(lease.notAfter - hours(8)) : null,
      };
    },
  });

const faults = {
  crash: 2,
  restart: 0.5,
  pause: 0.5,
  writeFails: 2,
  writeLate: 1,
  commitsLost: 0.1,
  diskFull: 0.1,
  watchEnds: 2,
  watchLags: 1,
  clockSkew: 1,
  clockDrift: 0.1,
  clockStep: 0.2,
  bootIn1970: 0.05,
};

const scenario = (renews = true) =>
  defineScenario({
    name: "lease",
    start: at("2030-01-01"),
    horizon: days(60),
    controllers: () => [leases(renews)],
    kinds: [Tenant, Lease],
    setup: async ({ create }) => {
      await create(Tenant, "self", { name: "a" });
    },
    operations: {
      rename: {
        rate: 1,
        run: async ({ modify, random }) => {
          await modify(Tenant, "self", (draft) => {
            draft.name = `t${random.below(1000)}`;
          });
        },
      },
    },
    faults,
    always: {
      "the lease is valid": ({ isCalm, spec, now }) => {
        const lease = spec(Lease, "self");
        return !isCalm(300_000) || (lease !== null && lease.notAfter > now);
      },
    },
    eventually: {
      "the lease is the tenant's": ({ spec }) =>
        spec(Lease, "self")?.tenant === spec(Tenant, "self")?.name,
    },
  });

test("the same seed does the same thing, another one another", async () => {
  const one = await simulate(scenario(), { seed: 7 });
  const two = await simulate(scenario(), { seed: 7 });
  const other = await simulate(scenario(), { seed: 8 });
  expect(one.failure).toBeNull();
  expect(two).toEqual(one);
  expect(other.hash).not.toBe(one.hash);
});

test("what holds holds in many seeds", async () => {
  const kinds = new Set<string>();
  for (let seed = 0; seed < 60; seed++) {
    const result = await simulate(scenario(), { seed });
    for (const kind of Object.keys(result.counts.faults)) kinds.add(kind);
    expect(result.failure && describeFailure(scenario(), result, "test")).toBeNull();
  }
  expect([...kinds].sort()).toEqual(Object.keys(faults).sort());
});

test("a dropped timer is found, shrunk and repeated", async () => {
  for (let seed = 0; seed < 20; seed++) {
    const failed = await simulate(scenario(false), { seed });
    if (failed.failure === null) continue;
    const small = await shrink(scenario(false), failed);
    expect(describeFailure(scenario(false), small, "test")).toMatch(
      /^BROKEN: the lease is valid\n/,
    );
    expect(small.events.length).toBeLessThanOrEqual(10);
    const lines: string[] = [];
    const again = await simulate(scenario(false), { ...small, trace: (line) => lines.push(line) });
    expect(again.failure).toEqual(small.failure);
    expect((await replay(scenario(false), lines)).difference).toBeNull();
    expect([...explain(lines)].join("\n")).toContain("** BROKEN: the lease is valid");
    return;
  }
  expect.fail("no seed finds it");
});
