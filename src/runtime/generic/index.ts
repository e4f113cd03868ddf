/** Controllers for what many systems do, made from kinds and functions (cosi.md §7). */
export { transform } from "./transform.ts";
export type { TransformOptions } from "./transform.ts";
export { queuedTransform } from "./queued-transform.ts";
export type { QueuedTransformOptions } from "./queued-transform.ts";
export { withdrawn } from "./transformation.ts";
export type { MakeOutput, Made, MakingContext, Release } from "./transformation.ts";
export { cleanup, combine, destroyOutputs, hasNoOutputs } from "./cleanup.ts";
export type { CleanupHandler, CleanupOptions } from "./cleanup.ts";
export { destroy } from "./destroy.ts";
