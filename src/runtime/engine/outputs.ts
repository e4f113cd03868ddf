/** Turns what a controller wants into the writes that make it so. */
import { isLabelled } from "../controller.ts";
import { formatPointer, type Pointer } from "../errors.ts";
import type { Instant } from "../instant.ts";
import type { Metadata, Resource } from "../resource.ts";
import { equalJson } from "../store/json-value.ts";
import type { View, Write } from "../store/store.ts";
import { keyOf, type Lane, type Unit } from "./lane.ts";

/** A unit's own outputs as they are stored, by the name of the output and the id. */
export type Owned = ReadonlyMap<string, ReadonlyMap<string, Resource>>;

/** What `reconcile` returned as outputs, unchecked. */
export type Desired = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** What is to be written for the outputs. */
export interface Plan {
  readonly writes: readonly Write[];
  /** Keys of those that are torn down after this, but held by somebody's finalizer. */
  readonly leaving: readonly string[];
  /** One that is wanted again before it is gone, as text; empty when there is none. */
  readonly postponed: string;
}

/** Reads the outputs that belong to a unit. */
export function readOwned({ lane, item }: Unit, view: View): Owned {
  const { name, outputs } = lane.controller;
  const owned = new Map<string, Map<string, Resource>>();
  for (const [key, { kind, itemOf }] of Object.entries(outputs)) {
    const { namespace, type } = kind;
    const resources =
      lane.each === undefined
        ? view.list({ namespace, type })
        : (itemOf ? [...(lane.ids.get(key)?.get(item) ?? [])] : [item]).flatMap(
            (id) => view.get({ namespace, type, id }) ?? [],
          );
    const own = resources.filter(({ metadata }) => metadata.owner === name);
    owned.set(key, new Map(own.map((resource) => [resource.metadata.id, resource])));
  }
  return owned;
}

/** The specs of the outputs that are running, as `reconcile` gets them. */
export function heldOf(owned: Owned): Readonly<Record<string, Readonly<Record<string, unknown>>>> {
  const held: Record<string, Readonly<Record<string, unknown>>> = {};
  for (const [name, resources] of owned) {
    // Ids are anybody's text: "constructor" is held by nobody.
    const specs = Object.create(null) as Record<string, unknown>;
    for (const [id, { metadata, spec }] of resources)
      if (metadata.phase === "running") specs[id] = spec;
    held[name] = Object.freeze(specs);
  }
  return held;
}

/** Compares what is wanted with what is stored; `desired` left out wants nothing. */
export function planOutputs(
  { lane, item }: Unit,
  owned: Owned,
  desired: Desired | undefined,
  now: Instant,
): Plan {
  const { name: owner, outputs } = lane.controller;
  if (desired) checkDesired(lane, item, desired);
  const plan: Draft = {
    regained: [],
    gone: [],
    created: [],
    updated: [],
    tornDown: [],
    leaving: [],
    postponed: "",
  };
  for (const [name, { kind }] of Object.entries(outputs)) {
    const specs = Object.entries(desired?.[name] ?? {}).filter(([, value]) => value !== undefined);
    const wanted = new Map(specs);
    for (const resource of owned.get(name)?.values() ?? []) planStored(plan, resource, wanted);
    for (const [id, value] of wanted) {
      const resource = newResource({ namespace: kind.namespace, type: kind.type, id }, value, now);
      plan.created.push({ op: "create", owner, resource });
    }
  }
  const { regained, created, updated, tornDown, gone, leaving, postponed } = plan;
  return {
    writes: [...regained, ...created, ...updated, ...tornDown, ...gone],
    leaving,
    postponed,
  };
}

/** Writes in the order in which a store that is not atomic should do them. */
interface Draft {
  /** Destroys of what is created anew. */
  readonly regained: Write[];
  readonly gone: Write[];
  readonly created: Write[];
  readonly updated: Write[];
  readonly tornDown: Write[];
  readonly leaving: string[];
  postponed: string;
}

/**
 * Ends resources of others, in the name of whoever owns them.
 *
 * @throws {TypeError} when their type is no output of the controller, or they are its own
 */
export function destroysOf({ controller }: Lane, resources: readonly Resource[]): Write[] {
  const { name, outputs } = controller;
  return resources.flatMap((resource) => {
    const { metadata } = resource;
    if (Object.values(outputs).every(({ kind }) => kind.type !== metadata.type))
      throw new TypeError(`${name}: ${metadata.type} is not declared as an output`);
    if (metadata.owner === name)
      throw new TypeError(`${name}: own outputs are torn down by leaving them out`);
    if (metadata.phase === "running") return teardownOf(resource);
    return metadata.finalizers.length > 0 ? [] : [destroyOf(metadata, metadata.version)];
  });
}

/** What becomes of an output that is there; takes it out of `wanted` unless it is to be created. */
function planStored(plan: Draft, resource: Resource, wanted: Map<string, unknown>): void {
  const { metadata } = resource;
  const { id, phase, finalizers, version } = metadata;
  const isHeld = finalizers.length > 0;
  if (phase === "running" && wanted.has(id)) {
    plan.updated.push(...updateOf(resource, wanted.get(id)));
    wanted.delete(id);
    return;
  }
  if (phase === "running") plan.tornDown.push(...teardownOf(resource));
  else if (!isHeld) plan[wanted.has(id) ? "regained" : "gone"].push(destroyOf(metadata, version));
  if (!isHeld) return;
  plan.leaving.push(keyOf(metadata));
  if (wanted.delete(id)) plan.postponed ||= formatPointer(metadata);
}

/** Misuse that types do not catch: a name that was not declared, an id of another item. */
function checkDesired(lane: Lane, item: string, desired: Desired): void {
  const { name, outputs } = lane.controller;
  for (const key of Object.keys(desired))
    if (outputs[key] === undefined)
      throw new TypeError(`${name}: there is no output "${key}"; ${listed(Object.keys(outputs))}`);
  for (const key of Object.keys(outputs))
    if (desired[key] === undefined) throw new TypeError(`${name}: output "${key}" is missing`);
  for (const [key, resources] of Object.entries(desired)) {
    const output = outputs[key];
    if (output === undefined) continue;
    if (lane.each === undefined) continue;
    for (const id of Object.keys(resources)) {
      const belongsTo = (output.itemOf ?? ((own: string) => own))(id);
      if (belongsTo !== item)
        throw new TypeError(
          `${name}: output ${output.kind.type} ${JSON.stringify(id)} belongs to item ` +
            `${JSON.stringify(belongsTo)}, not to ${JSON.stringify(item)}; declare itemOf`,
        );
    }
  }
}

const listed = (names: readonly string[]): string => {
  const quoted = names.map((name) => `"${name}"`).join(", ");
  return names.length === 0
    ? "there are none"
    : `there ${names.length > 1 ? "are" : "is"} ${quoted}`;
};

/** A value that was returned, with the metadata that stands around it. */
const unwrapped = (
  value: unknown,
): Pick<Resource, "spec"> & Pick<Metadata, "labels" | "annotations"> =>
  isLabelled(value)
    ? { spec: value.spec, labels: value.labels, annotations: value.annotations }
    : { spec: value, labels: {}, annotations: {} };

function newResource(pointer: Pointer, value: unknown, now: Instant): Resource {
  const { spec, labels, annotations } = unwrapped(value);
  return {
    metadata: {
      ...pointer,
      version: 0,
      owner: "",
      phase: "running",
      created: now,
      updated: now,
      labels,
      annotations,
      finalizers: [],
    },
    spec,
  };
}

/**
 * Nothing, when nothing changed by value, or when what is held was returned: that keeps its labels. A
 * part that did not change keeps its reference.
 */
function updateOf(stored: Resource, value: unknown): Write[] {
  if (value === stored.spec) return [];
  const wanted = unwrapped(value);
  const { metadata } = stored;
  const spec = equalJson(stored.spec, wanted.spec) ? stored.spec : wanted.spec;
  const labels = equalJson(metadata.labels, wanted.labels) ? metadata.labels : wanted.labels;
  const annotations = equalJson(metadata.annotations, wanted.annotations)
    ? metadata.annotations
    : wanted.annotations;
  if (spec === stored.spec && labels === metadata.labels && annotations === metadata.annotations)
    return [];
  const resource = { metadata: { ...metadata, labels, annotations }, spec };
  return [{ op: "update", resource, owner: metadata.owner }];
}

/** Those who hold a finalizer see it tearing down; without them it goes in the same commit. */
function teardownOf({ metadata, spec }: Resource): Write[] {
  const resource: Resource = { metadata: { ...metadata, phase: "tearingDown" }, spec };
  const teardown: Write = { op: "update", resource, owner: metadata.owner };
  return metadata.finalizers.length > 0
    ? [teardown]
    : [teardown, destroyOf(metadata, metadata.version + 1)];
}

const destroyOf = (metadata: Metadata, version: number): Write => ({
  op: "destroy",
  pointer: { namespace: metadata.namespace, type: metadata.type, id: metadata.id },
  owner: metadata.owner,
  version,
});
