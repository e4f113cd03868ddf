/** apid: the API of a node, on the wire of Talos. */
export { startApid } from "./apid.ts";
export type { Apid, ApidOptions } from "./apid.ts";
export {
  ControlPlaneOnlyError,
  KubernetesAuthorityMissingError,
  ListenError,
  ListenerMaterialError,
  SecretFileError,
  UnhealthyError,
} from "./errors.ts";
export type { CheckHealth } from "./cluster.ts";
export type { Directory, Entry, File, Stat, Symlink } from "./machine/file-tree.ts";
export { checkListen } from "./listener.ts";
export { startMaintenance } from "./maintenance.ts";
export type { Maintenance, MaintenanceOptions } from "./maintenance.ts";
export type { ListenerMaterial } from "./material.ts";
export type { ApplyMode } from "./machine/apply-configuration.ts";
export { TALOS_API_LEVEL } from "./machine/version.ts";
export type { Build } from "./machine/version.ts";
export type { NodePorts } from "./services.ts";
