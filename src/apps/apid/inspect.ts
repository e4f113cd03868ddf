/** `inspect.InspectService`: what the controllers of this node read and write (talosctl-wire.md §2.5). */
import type { Edge, EdgeType } from "#runtime/engine";
import {
  ControllerRuntimeDependency,
  DependencyEdgeType as Wire,
  type InspectServiceServer,
} from "../rpc/gen/inspect/inspect.ts";
import type { Router } from "./router.ts";

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

export const inspectMethods = (
  router: Router,
  graph: () => readonly Edge[],
): Pick<InspectServiceServer, "controllerRuntimeDependencies"> => ({
  controllerRuntimeDependencies: router.unary(ControllerRuntimeDependency, () => ({
    edges: graph().map(({ controller, edge, namespace, type, id }) => ({
      controllerName: controller,
      edgeType: wireTypes[edge],
      resourceNamespace: namespace,
      resourceType: type,
      resourceId: id,
    })),
  })),
});
