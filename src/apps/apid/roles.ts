/** Roles, and who may call what (talos-pki.md §8.2, §8.4). */
import { organizations, type Certificate } from "#pki";
import { AccessDeniedError, type Call } from "#runtime/rpc";

export const ADMIN = "os:admin";
const OPERATOR = "os:operator";
export const READER = "os:reader";
const ETCD_BACKUP = "os:etcd:backup";
const META_WRITER = "os:meta:writer";
const IMAGE_VERIFIER = "os:image:verifier";
const IMPERSONATOR = "os:impersonator";
/** Of nodes that joined; of Talos' methods it may call none. */
export const NODE = "trustplane:node";

const methods = (service: string, names: string, ...roles: readonly string[]) =>
  names.split(" ").map((name) => [`/${service}/${name}`, new Set(roles)] as const);

const machine = "machine.MachineService";
const state = "cosi.resource.State";

/** Roles by method; what is not in here is for {@link ADMIN} only. */
const rolesOfMethods: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ...methods(
    machine,
    "Version Hostname Memory CPUInfo CPUFreqStats LoadAvg SystemStat DiskStats DiskUsage " +
      "NetworkDeviceStats Netstat Mounts Processes Containers Stats List Logs LogsContainers " +
      "Dmesg Events ServiceList ImageList",
    ...[ADMIN, OPERATOR, READER],
  ),
  ...methods(
    machine,
    "EtcdAlarmList EtcdMemberList EtcdStatus",
    ...[ADMIN, OPERATOR, READER, ETCD_BACKUP],
  ),
  ...methods(machine, "EtcdSnapshot", ADMIN, OPERATOR, ETCD_BACKUP),
  ...methods(
    machine,
    "EtcdAlarmDisarm EtcdDefragment Reboot Shutdown Restart ServiceStart ServiceStop " +
      "ServiceRestart ImagePull PacketCapture",
    ...[ADMIN, OPERATOR],
  ),
  ...methods(machine, "MetaWrite MetaDelete", ADMIN, META_WRITER),
  ...methods(state, "Get List Watch", ADMIN, OPERATOR, READER),
  ...methods(state, "Create Update Destroy Teardown TeardownAndDestroy", ADMIN),
  ...methods("inspect.InspectService", "ControllerRuntimeDependencies", ADMIN, OPERATOR, READER),
  ...methods("cluster.ClusterService", "HealthCheck", ADMIN, OPERATOR, READER),
  ...methods("time.TimeService", "Time TimeCheck", ADMIN, OPERATOR, READER),
  ...methods("storage.StorageService", "Disks", ADMIN, OPERATOR, READER),
  ...methods("machine.StorageService", "Statfs", ADMIN, OPERATOR, READER),
  ...methods("machine.ImageService", "List", ADMIN, OPERATOR, READER),
  ...methods("machine.ImageService", "Verify", ADMIN, OPERATOR, READER, IMAGE_VERIFIER),
  ...methods("machine.ImageService", "Pull", ADMIN, OPERATOR),
  ...methods("trustplane.v1.ControlService", "Renew Rekey Deny Undeny DenyList", ADMIN),
  ...methods("trustplane.v1.ControlService", "TokenCreate TokenList TokenRevoke", ADMIN),
  ...methods("trustplane.v1.ControlService", "MemberList MemberRemove", ADMIN),
  ...methods("trustplane.v1.ControlService", "PolicyApply PolicyGet", ADMIN),
  ...methods("trustplane.v1.NodeService", "Renew Report Watch Leave", NODE),
]);

/** The roles in a client's certificate: every O of its subject, unknown ones without effect. */
export const rolesIn = ({ subject }: Certificate): ReadonlySet<string> =>
  new Set(
    organizations(subject)
      .map((role) => role.trim())
      .filter((role) => role !== ""),
  );

/** Whether somebody with these roles passes on what others ask, and says who they are. */
export const mayForward = (held: ReadonlySet<string>): boolean => held.has(IMPERSONATOR);

/** The roles that a call is made with: an impersonator's are those that it says. */
export function rolesFor(held: ReadonlySet<string>, call: Call): ReadonlySet<string> {
  const claimed = mayForward(held) ? call.header("talos-role") : [];
  return claimed.length === 0 ? held : new Set(claimed);
}

/** @throws {AccessDeniedError} unless one of the roles may call the method */
export function authorize(roles: ReadonlySet<string>, path: string): void {
  const allowed = rolesOfMethods.get(path) ?? new Set([ADMIN]);
  if (![...roles].some((role) => allowed.has(role))) throw new AccessDeniedError("not authorized");
}
