/** The runtime's public face: definitions, words, clock, random, errors. */
export {
  at,
  after,
  days,
  earliest,
  hours,
  instantOf,
  milliseconds,
  minutes,
  rfc3339,
  rfc3339Milliseconds,
  seconds,
} from "./instant.ts";
export type { Instant } from "./instant.ts";
export { manualClock, systemClock } from "./clock.ts";
export type { Clock, ManualClock } from "./clock.ts";
export { ringAfter } from "./ring-after.ts";
export { fraction, systemRandom } from "./random.ts";
export type { Random } from "./random.ts";
export {
  AlreadyExistsError,
  CodedError,
  ConflictError,
  formatPointer,
  InvalidBookmarkError,
  InvalidSpecError,
  NotFoundError,
  OwnerConflictError,
  PendingFinalizersError,
  PhaseConflictError,
  RegistrationError,
  ResourceError,
  StoreFileError,
  UnsupportedError,
  VersionConflictError,
  WatchOverrunError,
} from "./errors.ts";
export type { Pointer } from "./errors.ts";
export { defineResource, pointerTo } from "./resource.ts";
export type {
  AnyResourceType,
  DeepReadonly,
  Metadata,
  Phase,
  PrintColumn,
  Resource,
  ResourceType,
  Sensitivity,
  SpecEncoding,
  SpecMigration,
  SpecOf,
} from "./resource.ts";
export { byId, compareUtf8, matches } from "./query.ts";
export type { IdPattern, LabelOperation, LabelQuery, LabelTerm, Query } from "./query.ts";
export {
  all,
  defineController,
  defineRunner,
  destroyReady,
  each,
  exclusive,
  gate,
  maybe,
  one,
  resource,
  shared,
  strong,
} from "./controller.ts";
export type {
  Controller,
  DesiredOutputs,
  Held,
  HookContext,
  Hooks,
  Input,
  Inputs,
  InputValues,
  Output,
  Outputs,
  ReconcileContext,
  Result,
  RunContext,
} from "./controller.ts";
export type { Access } from "./access.ts";
export { ControllerAccessError, RetryAtError } from "./controller-errors.ts";
export { silentLogger } from "./logger.ts";
export type { Logger } from "./logger.ts";
export { ControllerStatus } from "./engine/controller-status.ts";
