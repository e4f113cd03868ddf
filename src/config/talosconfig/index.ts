/** Talosconfigs alone, for programs that read no machine configuration: it is much less to load. */
export { readDuration } from "#pki";
export { readRoles, type Role } from "../roles.ts";
export { addTalosContext, infoOfContext, mergeTalosconfigs, type ContextInfo } from "./contexts.ts";
export {
  readTalosconfig,
  writeTalosconfig,
  type TalosContext,
  type Talosconfig,
} from "./talosconfig.ts";
