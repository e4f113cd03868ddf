/** What must compile, and what must not: `tsc` is the test, and an error that is missing is one. */
import { z } from "zod";
import {
  all,
  defineController,
  defineResource,
  defineRunner,
  each,
  exclusive,
  gate,
  instantOf,
  maybe,
  one,
  resource,
  shared,
  strong,
} from "#runtime";

const Person = defineResource({
  type: "People.check.trustplane.dev",
  namespace: "check",
  spec: z.object({ name: z.string(), friends: z.array(z.string()) }),
});
const Count = defineResource({
  type: "Counts.check.trustplane.dev",
  namespace: "check",
  spec: z.object({ count: z.number(), unit: z.enum(["people", "friends"]).optional() }),
});

/** Every word has the type of its value. */
defineController({
  name: "fine",
  inputs: {
    person: strong(one(Person, "x")),
    limit: maybe(Count, "limit"),
    ready: gate(Count, "ready", (ready) => ready.count > 1),
    counts: all(Count),
  },
  outputs: { count: exclusive(Count) },
  reconcile({ inputs, held, item }) {
    const name: string = inputs.person.spec.name + item;
    const count: number =
      inputs.ready.spec.count + (inputs.limit?.spec.count ?? 0) + inputs.counts.length;
    const before = held.count.self?.count ?? name.length;
    const other = resource({ count: 1 }, { labels: { a: "b" } });
    return { outputs: { count: { self: { count: count + before, unit: "people" }, other } } };
  },
});

/** Some ways to return. */
defineController({
  name: "async",
  inputs: { person: each(Person) },
  outputs: { count: exclusive(Count) },
  async reconcile({ inputs, item }) {
    await Promise.resolve();
    if (inputs.person.spec.name === "") return;
    if (inputs.person.spec.friends.length === 0) return { outputs: { count: {} } };
    const unit = inputs.person.spec.name === "all" ? "people" : "friends";
    return { outputs: { count: { [item]: { count: 1, unit } } }, wakeAt: instantOf(1) };
  },
});
defineController({
  name: "nothing",
  inputs: {},
  outputs: {},
  reconcile: () => undefined,
});

defineController({
  name: "inputs",
  inputs: {
    person: one(Person, "x"),
    limit: maybe(Count, "y"),
    // @ts-expect-error a field that the spec does not have
    ready: gate(Count, "z", (ready) => ready.counts > 1),
  },
  outputs: { count: exclusive(Count) },
  reconcile({ inputs, held }) {
    // @ts-expect-error it may be absent
    inputs.limit.spec.count;
    // @ts-expect-error specs are not written to
    inputs.person.spec.name = "x";
    // @ts-expect-error nor is what is in them
    inputs.person.spec.friends.push("x");
    // @ts-expect-error nor is an element
    inputs.person.spec.friends[0] = "x";
    // @ts-expect-error an id may be held or not
    held.count.self.count;
    // @ts-expect-error nor is what is held
    held.count.self = { count: 1 };
    // @ts-expect-error it was not declared as an input
    inputs.stranger;
    // @ts-expect-error it was not declared as an output
    held.stranger;
  },
});

defineController({
  name: "wrong spec",
  inputs: {},
  outputs: { count: exclusive(Count) },
  // @ts-expect-error a spec of another type
  reconcile: () => ({ outputs: { count: { self: { count: "1" } } } }),
});
defineController({
  name: "wrong spec with labels",
  inputs: {},
  outputs: { count: exclusive(Count) },
  // @ts-expect-error a spec of another type
  reconcile: () => ({ outputs: { count: { self: resource({ count: "1" }, {}) } } }),
});
defineController({
  name: "missing output",
  inputs: {},
  outputs: { count: exclusive(Count), person: shared(Person) },
  // @ts-expect-error an output is missing
  reconcile: () => ({ outputs: { count: {} } }),
});
defineController({
  name: "undeclared output",
  inputs: {},
  outputs: { count: exclusive(Count) },
  // @ts-expect-error it was not declared as an output
  reconcile: () => ({ outputs: { count: {}, person: {} } }),
});
defineController({
  name: "undeclared output in one of two returns",
  inputs: { person: maybe(Person, "x") },
  outputs: { count: exclusive(Count) },
  // @ts-expect-error it was not declared as an output
  reconcile({ inputs }) {
    if (inputs.person === null) return { outputs: { count: {} } };
    return { outputs: { count: {}, person: {} } };
  },
});
defineController({
  name: "undeclared output of a promise",
  inputs: {},
  outputs: { count: exclusive(Count) },
  // @ts-expect-error it was not declared as an output
  async reconcile() {
    await Promise.resolve();
    return { outputs: { count: {}, person: {} } };
  },
});
defineController({
  name: "wrong wake-up",
  inputs: {},
  outputs: { count: exclusive(Count) },
  // @ts-expect-error a duration is no instant
  reconcile: () => ({ outputs: { count: {} }, wakeAt: 5 }),
});

defineRunner({
  name: "runner",
  inputs: { person: one(Person, "x") },
  outputs: { count: exclusive(Count) },
  async run({ changes, publish }) {
    for await (const inputs of changes) {
      // @ts-expect-error there is nothing while the person is absent
      inputs.person;
      await publish({ count: { self: { count: inputs?.person.spec.friends.length ?? 0 } } });
      // @ts-expect-error a spec of another type
      await publish({ count: { self: { count: "1" } } });
      // @ts-expect-error it was not declared as an output
      await publish({ count: {}, person: {} });
    }
  },
});
