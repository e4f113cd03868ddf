/** The dependency graph as data (cosi.md §6.8). */
import type { Controller, Input } from "../controller.ts";
import { compareUtf8 } from "../query.ts";

const order = [
  "output-exclusive",
  "output-shared",
  "input-strong",
  "input-weak",
  "input-primary",
  "input-mapped",
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

/** Exclusive outputs, shared outputs, then inputs; each by controller, namespace, type and id. */
export function edgesOf(controllers: readonly Controller[]): readonly Edge[] {
  const outputs = controllers.flatMap(({ name, outputs }) =>
    Object.values(outputs).map(({ kind, sharing }): Edge => ({
      controller: name,
      namespace: "",
      type: kind.type,
      id: "",
      edge: sharing === "exclusive" ? "output-exclusive" : "output-shared",
    })),
  );
  const inputs = controllers.flatMap((controller) =>
    Object.values(controller.inputs).map((input): Edge => ({
      controller: controller.name,
      namespace: input.namespace,
      type: input.kind.type,
      id: input.id ?? "",
      edge: edgeOf(controller, input),
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

function edgeOf({ inputs }: Controller, { mode, strong }: Input<unknown>): EdgeType {
  if (mode === "each") return "input-primary";
  if (Object.values(inputs).some((other) => other.mode === "each")) return "input-mapped";
  return strong ? "input-strong" : "input-weak";
}

/** All inputs are one group. */
const groupOf = ({ edge }: Edge): number => Math.min(order.indexOf(edge), 2);
