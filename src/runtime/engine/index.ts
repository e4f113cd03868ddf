/** The engine: runs controllers on a store. */
export { createEngine } from "./engine.ts";
export type { Engine, EngineOptions } from "./engine.ts";
export type { Edge, EdgeType } from "./graph.ts";
export type { Metrics } from "./tally.ts";
export type { Choose } from "./scheduler.ts";
export { ControllerStatus } from "./controller-status.ts";
export { aliasCollisions, Namespace, registerKinds, ResourceDefinition } from "../meta/index.ts";
export type { AliasCollision } from "../meta/index.ts";
