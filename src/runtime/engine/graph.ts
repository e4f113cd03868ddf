/** The dependency graph as data (cosi.md §6.8). */
import type { Controller, Input, Inputs } from "../controller.ts";
import { compareUtf8 } from "../query.ts";

const order = [
  "output-exclusive",
  "output-shared",
  "input-strong",
  "input-weak",
  "input-destroy-ready",
  "input-primary",
  "input-mapped",
  "input-mapped-destroy-ready",
] as const;

/** How a controller and a kind belong together; primary and mapped are inputs of a queued one. */
export type EdgeType = (typeof order)[number];

/** One dependency. Outputs have neither namespace nor id, inputs of a whole kind have no id. */
export interface Edge {
  readonly controller: string;
  readonly namespace: string;
  readonly type: string;
  readonly id: string;
  readonly edge: EdgeType;
}

/** A controller with the inputs that it has now. */
export interface Connected {
  readonly controller: Controller;
  readonly inputs: Inputs;
}

/** Exclusive outputs, shared outputs, then inputs; each by controller, namespace, type and id. */
export function edgesOf(connected: readonly Connected[]): readonly Edge[] {
  const outputs = connected.flatMap(({ controller: { name, outputs } }) =>
    Object.values(outputs).map(({ kind, sharing }): Edge => ({
      controller: name,
      namespace: "",
      type: kind.type,
      id: "",
      edge: sharing === "exclusive" ? "output-exclusive" : "output-shared",
    })),
  );
  const inputs = connected.flatMap(({ controller: { name }, inputs }) =>
    Object.values(inputs).map((input): Edge => ({
      controller: name,
      namespace: input.namespace,
      type: input.kind.type,
      id: input.id ?? "",
      edge: edgeOf(inputs, input),
    })),
  );
  return [...outputs, ...inputs].sort(
    (a, b) =>
      groupOf(a) - groupOf(b) ||
      compareUtf8(a.controller, b.controller) ||
      compareUtf8(a.namespace, b.namespace) ||
      compareUtf8(a.type, b.type) ||
      compareUtf8(a.id, b.id),
  );
}

function edgeOf(inputs: Inputs, { mode, strong, destroyReady }: Input<unknown>): EdgeType {
  if (mode === "each") return "input-primary";
  if (Object.values(inputs).some((other) => other.mode === "each"))
    return destroyReady ? "input-mapped-destroy-ready" : "input-mapped";
  if (destroyReady) return "input-destroy-ready";
  return strong ? "input-strong" : "input-weak";
}

/** All inputs are one group. */
const groupOf = ({ edge }: Edge): number => Math.min(order.indexOf(edge), 2);
