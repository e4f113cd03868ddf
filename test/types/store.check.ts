/** What must compile of stores, generic controllers and mounted ones, and what must not. */
import { z } from "zod";
import {
  defineController,
  defineResource,
  each,
  exclusive,
  one,
  pointerTo,
  shared,
  strong,
} from "#runtime";
import { queuedTransform, transform, withdrawn } from "#runtime/generic";
import { openMemoryStore } from "#runtime/store";
import { mount } from "#runtime/testing";

const Person = defineResource({
  type: "People.check.trustplane.dev",
  namespace: "check",
  spec: z.object({ name: z.string(), friends: z.array(z.string()) }),
});
const Count = defineResource({
  type: "Counts.check.trustplane.dev",
  namespace: "check",
  spec: z.object({ count: z.number() }),
});
const store = openMemoryStore();
const anna = { name: "Anna", friends: [] };

export async function stores(): Promise<void> {
  const person = await store.create(Person, "a", anna, { labels: { a: "b" } });
  const name: string = person.spec.name;
  const found = await store.get(Person, "a");
  await store.modify(Person, "a", (draft) => void draft.friends.push(found?.spec.name ?? name));
  await store.update({ ...person, spec: { ...person.spec, name: "Anne" } });
  await store.watchFor(Person, "a", { matches: ({ spec }) => spec.friends.length > 1 });
  await store.teardownAndDestroy(pointerTo(Person, "a"));

  // @ts-expect-error a field of another type
  await store.create(Person, "a", { name: 1, friends: [] });
  // @ts-expect-error a field is missing
  await store.create(Person, "a", { name: "Anna" });
  // @ts-expect-error a field that the spec does not have
  await store.create(Person, "a", { name: "Anna", friends: [], age: 1 });
  // @ts-expect-error the spec of another kind
  await store.create(Count, "a", anna);
  // @ts-expect-error it may be absent
  found.spec;
  // @ts-expect-error specs are not written to
  person.spec.name = "Anne";
  // @ts-expect-error nor is what is in them
  person.spec.friends.push("Bert");
  // @ts-expect-error nor is metadata
  person.metadata.version = 2;
  // @ts-expect-error nor are labels
  person.metadata.labels.a = "c";
  // @ts-expect-error a draft has the type of the spec
  await store.modify(Person, "a", (draft) => void (draft.name = 1));
  // @ts-expect-error so has what a recipe returns
  await store.modify(Person, "a", () => ({ name: "Anna" }));
  // @ts-expect-error so has what it starts from
  await store.modify(Person, "a", () => undefined, { initial: { name: "Anna" } });
  // @ts-expect-error there is no such phase
  await store.modify(Person, "a", () => undefined, { expectedPhase: "leaving" });
  // @ts-expect-error a field that the spec does not have
  await store.watchFor(Person, "a", { matches: ({ spec }) => spec.age > 1 });
  store.watchKind(Person).subscribe((event) => {
    // @ts-expect-error not every event has a resource
    event.resource;
    // @ts-expect-error specs are not written to
    if (event.type === "created") event.resource.spec.name = "Anne";
    // @ts-expect-error only an update has what was before
    if (event.type === "created") event.old;
  });
}

/** Inputs and outputs by their words. */
defineController({
  name: "words",
  // @ts-expect-error an id is missing
  inputs: { person: one(Person) },
  // @ts-expect-error what is written is a kind
  outputs: { count: exclusive("Count") },
  reconcile: () => undefined,
});
defineController({
  name: "list for one",
  inputs: { person: strong(each(Person)) },
  outputs: { count: shared(Count) },
  reconcile({ inputs }) {
    // @ts-expect-error each gives one at a time
    inputs.person.length;
  },
});

/** Transforms know the specs of both sides. */
export const transforms = [
  transform({
    name: "fine",
    input: Person,
    output: Count,
    make: ({ spec }, { held }) =>
      spec.name === "" ? withdrawn : { count: spec.friends.length + (held?.count ?? 0) },
  }),
  transform({
    name: "wrong spec",
    input: Person,
    output: Count,
    // @ts-expect-error a spec of another type
    make: ({ spec }) => ({ count: spec.name }),
  }),
  queuedTransform({
    name: "wrong spec",
    input: Person,
    output: Count,
    // @ts-expect-error a spec of another type
    make: ({ spec }) => ({ count: spec.name }),
  }),
  transform({
    name: "unchecked",
    input: Person,
    output: Count,
    // @ts-expect-error there may be none yet
    make: (_input, { held }) => ({ count: held.count }),
  }),
  transform({
    name: "other field",
    input: Person,
    output: Count,
    // @ts-expect-error a field that the spec does not have
    make: ({ spec }) => ({ count: spec.age }),
  }),
];

export async function mounted(t: Awaited<ReturnType<typeof mount>>): Promise<void> {
  const count: number | undefined = t.spec(Count, "a")?.count;
  await t.create(Count, "a", { count: count ?? 0 });
  // @ts-expect-error a spec of another type
  await t.create(Count, "a", { count: "1" });
  // @ts-expect-error it may be absent
  t.spec(Count, "a").count;
  // @ts-expect-error a duration is no instant
  await mount([], { now: 5 });
}

/** Kinds evolve. */
defineResource({
  type: "People.check.trustplane.dev",
  namespace: "check",
  spec: z.object({ name: z.string() }),
  schemaVersion: 2,
  migrations: { 1: (spec) => ({ name: String(spec) }) },
});
defineResource({
  type: "People.check.trustplane.dev",
  namespace: "check",
  spec: z.object({ name: z.string() }),
  // @ts-expect-error what is stored may be anything
  migrations: { 1: (spec) => ({ name: spec.title }) },
});
