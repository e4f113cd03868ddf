/** Stores: where resources live, and the one wrapper around what a backend implements. */
export { StoreClosedError } from "./closed.ts";
export { openMemoryStore } from "./memory.ts";
export type { MemoryStoreOptions } from "./memory.ts";
export { openSqliteStore } from "./sqlite/sqlite.ts";
export type { SqliteStore, SqliteStoreOptions } from "./sqlite/sqlite.ts";
export type { DamagedRow } from "./sqlite/contents.ts";
export type { EventLogLimits } from "./sqlite/event-log.ts";
export { restoreSqliteStore } from "./sqlite/restore.ts";
export type { RestoreOptions } from "./sqlite/restore.ts";
export { DamagedResource } from "./damaged-resource.ts";
export { resume } from "./resume.ts";
export type { ResumeOptions } from "./resume.ts";
export { storeOver } from "./state.ts";
export type {
  CreateOptions,
  ModifyOptions,
  Ownership,
  Place,
  Store,
  UpdateOptions,
  Waiting,
} from "./state.ts";
export { unstored } from "./edit.ts";
export type { MetadataDraft } from "./edit.ts";
export type { WatchCondition } from "./watch-for.ts";
export type {
  Bookmark,
  CoreStore,
  Decide,
  EventType,
  Kind,
  View,
  WatchEvent,
  WatchKindOptions,
  WatchOptions,
  Write,
} from "./store.ts";
