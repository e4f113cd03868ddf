/** `inspect.InspectService`: what the controllers of this node read and write (talosctl-wire.md §2.5). */
import type { Edge, EdgeType } from "#runtime/engine";
import { unary, type Call, type CallOptions } from "#runtime/rpc";
import {
  ControllerRuntimeDependency,
  DependencyEdgeType as Wire,
  type InspectServiceServer,
} from "../rpc/gen/inspect/inspect.ts";
import { forEachTarget } from "./machine-service.ts";
import type { Target } from "./routing.ts";

/** What the service needs. */
export interface InspectServiceOptions extends CallOptions {
  readonly graph: () => readonly Edge[];
  readonly targetsOf: (call: Call) => readonly Target[];
}

/** Talos has no edges of queued controllers: the items are as strong inputs, mapped ones as weak. */
const wireTypes: Readonly<Record<EdgeType, Wire>> = {
  "output-exclusive": Wire.OUTPUT_EXCLUSIVE,
  "output-shared": Wire.OUTPUT_SHARED,
  "input-strong": Wire.INPUT_STRONG,
  "input-weak": Wire.INPUT_WEAK,
  "input-destroy-ready": Wire.INPUT_DESTROY_READY,
  "input-primary": Wire.INPUT_STRONG,
  "input-mapped": Wire.INPUT_WEAK,
  "input-mapped-destroy-ready": Wire.INPUT_DESTROY_READY,
};

/** Makes the handler. */
export function inspectService(
  options: InspectServiceOptions,
): Pick<InspectServiceServer, "controllerRuntimeDependencies"> {
  const { graph, targetsOf } = options;
  return {
    controllerRuntimeDependencies: unary((_request, call) => {
      const edges = graph().map(({ controller, edge, namespace, type, id }) => ({
        controllerName: controller,
        edgeType: wireTypes[edge],
        resourceNamespace: namespace,
        resourceType: type,
        resourceId: id,
      }));
      const empty = ControllerRuntimeDependency.decode(new Uint8Array());
      return { messages: forEachTarget(targetsOf(call), { ...empty, edges }, empty) };
    }, options),
  };
}
