/** apid: the API of a node, on the wire of Talos. */
export { startApid } from "./apid.ts";
export type { Apid, ApidOptions } from "./apid.ts";
export type { PolicyPort } from "./policy.ts";
export type { Denials, Issued, RenewLeaves } from "./control.ts";
export {
  CertificateUnknownError,
  ControlPlaneOnlyError,
  DenialUnknownError,
  EndingInProgressError,
  KubernetesAuthorityMissingError,
  LastControlPlaneError,
  LeaveFailedError,
  ResetRefusedError,
  ListenError,
  ListenerMaterialError,
  NoLeafError,
  RenewalUnmetError,
  SecretFileError,
  ServiceRefusedError,
  UnhealthyError,
  UnknownServiceError,
} from "./errors.ts";
export type { CheckHealth } from "./cluster.ts";
export type { Directory, Entry, File, Stat, Symlink } from "./machine/file-tree.ts";
export { checkListen } from "./tls-listener.ts";
export { startMaintenance } from "./maintenance.ts";
export type { Maintenance, MaintenanceOptions } from "./maintenance.ts";
export type { ListenerMaterial } from "./material.ts";
export type { ApplyMode } from "./machine/apply-configuration.ts";
export { TALOS_API_LEVEL } from "./machine/version.ts";
export type { Build } from "./machine/version.ts";
export type { NodePorts } from "./services.ts";
export type { NodeEvent, NodeEvents } from "./machine/events.ts";
export type { EndingName, EndRun } from "./machine/lifecycle.ts";
export type { ResetNode, Resetting } from "./machine/reset.ts";
export type { NodeLogs } from "./machine/logs.ts";
export type {
  NodeServices,
  ServiceHealth,
  ServiceStateName,
  ServiceStatus,
} from "./machine/services.ts";
export { Ring } from "./ring.ts";
export { xidSource } from "./xid.ts";
