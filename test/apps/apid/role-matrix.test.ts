/** Every method by every role, and every kind by every role and verb (talos-pki.md §8.4, §8.5). */
import {
  Client,
  credentials,
  Metadata,
  status,
  type ServiceDefinition,
  type ServiceError,
} from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { kinds } from "#resources";
import { ControllerStatus, type AnyResourceType } from "#runtime";
import { Namespace, registerKinds, ResourceDefinition } from "#runtime/engine";
import { AccessDeniedError, StateService } from "#runtime/rpc";
import { DamagedResource, openMemoryStore } from "#runtime/store";
import { authorize, rolesFor } from "../../../src/apps/apid/roles.ts";
import { opensslKey } from "../../../src/apps/rpc/openssl-key.ts";
import { ClusterServiceService } from "../../../src/apps/rpc/gen/cluster/cluster.ts";
import { ControlServiceService } from "../../../src/apps/rpc/gen/control/control.ts";
import { InspectServiceService } from "../../../src/apps/rpc/gen/inspect/inspect.ts";
import { MachineServiceService } from "../../../src/apps/rpc/gen/machine/machine.ts";
import { NodeServiceService } from "../../../src/apps/rpc/gen/node/node.ts";
import { TimeServiceService } from "../../../src/apps/rpc/gen/time/time.ts";
import { NoLeafError } from "../../../src/apps/apid/index.ts";
import { issueClient, issueRoot, runNode, type RunningNode } from "./running-node.ts";

/** Who asks: the roles in the certificate, and those claimed by header. */
const callers = {
  admin: [["os:admin"]],
  operator: [["os:operator"]],
  reader: [["os:reader"]],
  "etcd backup": [["os:etcd:backup"]],
  "meta writer": [["os:meta:writer"]],
  "image verifier": [["os:image:verifier"]],
  nobody: [[]],
  unknown: [["os:superuser"]],
  "a node": [["trustplane:node"]],
  "reader who claims to be a node": [["os:reader"], ["trustplane:node"]],
  "impersonator of a node": [["os:impersonator"], ["trustplane:node"]],
  "reader who claims": [["os:reader"], ["os:admin"]],
  impersonator: [["os:impersonator"]],
  "impersonator of an admin": [["os:impersonator"], ["os:admin"]],
  "impersonator of a reader": [["os:impersonator"], ["os:reader"]],
  "admin who impersonates nobody": [["os:admin", "os:impersonator"]],
  "admin who impersonates a reader": [["os:admin", "os:impersonator"], ["os:reader"]],
} satisfies Record<string, [string[], string[]?]>;
type Caller = keyof typeof callers;

const ADMINS: Caller[] = ["admin", "impersonator of an admin", "admin who impersonates nobody"];
const READERS: Caller[] = [
  "reader",
  "reader who claims",
  "reader who claims to be a node",
  "impersonator of a reader",
  "admin who impersonates a reader",
];
const A = new Set<Caller>(ADMINS);
const AO = new Set<Caller>([...ADMINS, "operator"]);
const AOR = new Set<Caller>([...AO, ...READERS]);
const and = (set: ReadonlySet<Caller>, ...more: Caller[]) => new Set<Caller>([...set, ...more]);

const words = (service: string, names: string, who: ReadonlySet<Caller>) =>
  names.split(" ").map((name): [string, ReadonlySet<Caller>] => [`/${service}/${name}`, who]);
const M = "machine.MachineService";

/** Written from the tables of the specification; what it does not name is for administrators. */
const allowed = new Map<string, ReadonlySet<Caller>>([
  ...words(M, "Version Hostname Memory CPUInfo CPUFreqStats LoadAvg SystemStat DiskStats", AOR),
  ...words(M, "DiskUsage NetworkDeviceStats Netstat Mounts Processes Containers Stats List", AOR),
  ...words(M, "Logs LogsContainers Dmesg Events ServiceList ImageList", AOR),
  ...words(M, "EtcdAlarmList EtcdMemberList EtcdStatus", and(AOR, "etcd backup")),
  ...words(M, "EtcdSnapshot", and(AO, "etcd backup")),
  ...words(M, "EtcdAlarmDisarm EtcdDefragment Reboot Shutdown Restart", AO),
  ...words(M, "ServiceStart ServiceStop ServiceRestart ImagePull PacketCapture", AO),
  ...words(M, "EtcdForfeitLeadership EtcdLeaveCluster EtcdRecover EtcdRemoveMemberByID", A),
  ...words(M, "EtcdDowngradeValidate EtcdDowngradeEnable EtcdDowngradeCancel", A),
  ...words(M, "ApplyConfiguration Bootstrap Copy Read Kubeconfig GenerateClientConfiguration", A),
  ...words(M, "Reset Rollback Upgrade", A),
  ...words(M, "MetaWrite MetaDelete", and(A, "meta writer")),
  ...words("cosi.resource.State", "Get List Watch", AOR),
  ...words("cosi.resource.State", "Create Update Destroy Teardown TeardownAndDestroy", A),
  ...words("inspect.InspectService", "ControllerRuntimeDependencies", AOR),
  ...words("cluster.ClusterService", "HealthCheck", AOR),
  ...words("time.TimeService", "Time TimeCheck", AOR),
  ...words("storage.StorageService", "Disks", AOR),
  ...words("storage.StorageService", "BlockDeviceWipe", A),
  ...words("machine.StorageService", "Statfs", AOR),
  ...words("machine.ImageService", "List", AOR),
  ...words("machine.ImageService", "Verify", and(AOR, "image verifier")),
  ...words("machine.ImageService", "Pull", AO),
  ...words("machine.ImageService", "Import Remove", A),
  ...words("machine.DebugService", "ContainerRun", A),
  ...words("machine.LifecycleService", "Install Upgrade", A),
  ...words("trustplane.v1.ControlService", "Renew Rekey Deny Undeny DenyList", A),
  ...words("trustplane.v1.ControlService", "TokenCreate TokenList TokenRevoke", A),
  ...words("trustplane.v1.ControlService", "MemberList MemberRemove PolicyApply PolicyGet", A),
  // Only who is one, and nobody in its place.
  ...words("trustplane.v1.NodeService", "Renew Report Watch Leave", new Set(["a node"])),
]);

const served = [
  ...[StateService, MachineServiceService, InspectServiceService, ClusterServiceService],
  ...[TimeServiceService, ControlServiceService, NodeServiceService],
].flatMap((service: ServiceDefinition) => Object.values(service).map(({ path }) => path));

const registered: readonly AnyResourceType[] = [
  ...[...kinds, ControllerStatus, DamagedResource, ResourceDefinition, Namespace],
];
/** The kinds that hold keys, by the specification and by what they are. */
const SENSITIVE = new Set([
  ...[
    "ApiCertificates",
    "CertSANs",
    "EncryptionSalts",
    "EtcdSecrets",
    "KubeletSecrets",
    "MachineConfigs",
  ],
  ...["JoinTokens", "MachineTokens", "NodeCertificates"],
  ...["KubernetesDynamicCerts", "KubernetesSecrets", "TrustdCertificates"],
  ...["EtcdRootSecrets", "KubernetesRootSecrets", "MaintenanceRootSecrets", "OSRootSecrets"],
]);

const outcomes: Readonly<Record<number, string>> = { [status.UNIMPLEMENTED]: "not served" };

/** What roles alone say of a method that is not served, and answers nobody over the wire. */
function byRoles(roles: readonly string[], claims: readonly string[] | undefined, path: string) {
  const header = () => claims ?? [];
  try {
    authorize(rolesFor(new Set(roles), { path, peer: "", header }), path);
    return "let in";
  } catch (error) {
    return error instanceof AccessDeniedError ? error.message : String(error);
  }
}

/** Calls a method with bytes, and tells how it ends; one that is let in is left at its first word. */
function call(client: Client, path: string, bytes: Uint8Array, claims: readonly string[] = []) {
  const metadata = new Metadata();
  for (const role of claims) metadata.add("talos-role", role);
  return new Promise<string>((resolve) => {
    const stream = client.makeServerStreamRequest(
      ...([
        path,
        () => Buffer.from(bytes),
        (buffer: Buffer) => buffer,
        undefined,
        metadata,
      ] as const),
    );
    stream.on("data", () => {
      resolve("let in");
      stream.cancel();
    });
    stream.on("end", () => resolve("let in"));
    stream.on("error", ({ code, details }: ServiceError) =>
      resolve(outcomes[code] ?? (code === status.PERMISSION_DENIED ? details : "let in")),
    );
  });
}

function dial({ apid, root }: RunningNode, identity: { crt: string; key: string }) {
  const key = Buffer.from(opensslKey(identity.key));
  return new Client(
    `ipv4:127.0.0.1:${apid.port}`,
    credentials.createSsl(Buffer.from(root.crt), key, Buffer.from(identity.crt), {
      checkServerIdentity: () => undefined,
    }),
    { "grpc.ssl_target_name_override": "node.invalid" },
  );
}

/** Length-delimited field of a message. */
const field = (number: number, bytes: Uint8Array): Buffer =>
  Buffer.concat([Buffer.of((number << 3) | 2, bytes.length), bytes]);
const text = (number: number, value: string) => field(number, Buffer.from(value));

/** The request of a verb about a resource, with nothing in it but where it is (talosctl-wire.md §3.2). */
function request(verb: string, { namespace, type }: AnyResourceType): Buffer {
  const pointer = Buffer.concat([text(1, namespace), text(2, type)]);
  if (verb === "List") return pointer;
  if (verb === "Create" || verb === "Update") {
    const metadata = Buffer.concat([pointer, text(3, "x"), text(4, "1"), text(6, "running")]);
    return field(verb === "Create" ? 1 : 2, field(1, metadata));
  }
  return Buffer.concat([pointer, text(3, "x")]);
}

const verbs = [
  "Get",
  "List",
  "Watch",
  "Create",
  "Update",
  "Destroy",
  "Teardown",
  "TeardownAndDestroy",
];

test("every method by every role, and every kind by every role and verb", async () => {
  const store = openMemoryStore();
  const namespaces = Object.fromEntries(registered.map(({ namespace }) => [namespace, ""]));
  await registerKinds(store, registered, namespaces);
  const never = () => Promise.reject(new NoLeafError(["nothing"]));
  const ports = {
    build: { sha: "", built: "" },
    applyConfiguration: never,
    issueClientConfiguration: never,
    graph: () => [],
    renewLeaves: never,
    denials: { deny: never, undeny: never, list: never },
    tokens: { create: never, list: never, revoke: never },
    register: { list: never, remove: never },
    renewNode: never,
    membership: {
      report: never,
      leave: never,
      watch: () => ({ [Symbol.asyncIterator]: () => ({ next: never }) }),
    },
  };
  await using node = await runNode({ store, kinds: registered, ports });
  const methods = [...new Set([...served, ...allowed.keys(), "/no.such.Service/Method"])];
  const unserved = new Set<string>();
  const [cells, wrong]: [number, string[]] = [
    Object.keys(callers).length * (methods.length + registered.length * verbs.length),
    [],
  ];
  let tried = 0;
  for (const [caller, [roles, claims]] of Object.entries(callers) as [
    Caller,
    [string[], string[]?],
  ][]) {
    const client = dial(node, await issueClient(node.root, roles));
    const judge = (cell: string, outcome: string, expected: string) => {
      tried++;
      if (outcome !== expected) wrong.push(`${caller}, ${cell}: ${outcome}, and not ${expected}`);
    };
    for (const path of methods) {
      const may = (allowed.get(path) ?? A).has(caller);
      const answer = await call(client, path, new Uint8Array(), claims);
      const outcome = answer === "not served" ? byRoles(roles, claims, path) : answer;
      if (answer === "not served") unserved.add(path);
      // Let in, an empty request about a resource meets the policy.
      const beyond = /^(write access is not allowed|resource type "" is not supported)$/;
      judge(path, beyond.test(outcome) ? "let in" : outcome, may ? "let in" : "not authorized");
    }
    for (const kind of registered)
      for (const verb of verbs) {
        const path = `/cosi.resource.State/${verb}`;
        const outcome = await call(client, path, request(verb, kind), claims);
        const reads = ["Get", "List", "Watch"].includes(verb);
        const sensitive = SENSITIVE.has(kind.type.split(".")[0] ?? "");
        const may = (reads && !sensitive ? AOR : A).has(caller);
        const granted = reads ? "let in" : "write access is not allowed";
        judge(`${verb} ${kind.type}`, outcome, may ? granted : "not authorized");
      }
    client.close();
  }
  console.log(
    `role matrix: ${cells.toLocaleString("en")} cells, ${tried.toLocaleString("en")} tried`,
  );
  console.log(
    `of ${methods.length} methods ${unserved.size} are not served, and asked of roles alone`,
  );
  expect(wrong).toEqual([]);
  expect(tried).toBe(cells);
}, 120_000);

test("roles of a certificate that nobody accepted do nothing", async () => {
  await using node = await runNode();
  const own = await issueRoot();
  const made = await issueClient(own, ["os:admin"]);
  const reader = await issueClient(node.root, ["os:reader"]);
  const admin = dial(node, { ...made, crt: made.crt + own.crt });
  const path = "/machine.MachineService/Version";
  await expect(
    new Promise((resolve, reject) =>
      admin.makeUnaryRequest(
        path,
        () => Buffer.alloc(0),
        (b) => b,
        {},
        (error, value) => (error ? reject(error) : resolve(value)),
      ),
    ),
  ).rejects.toMatchObject({ code: status.UNAVAILABLE });
  // What a client sends beside its own certificate lends it nothing.
  const lending = dial(node, { ...reader, crt: reader.crt + made.crt + own.crt });
  const read = "/machine.MachineService/GenerateClientConfiguration";
  expect(await call(lending, path, new Uint8Array())).toBe("let in");
  expect(await call(lending, read, new Uint8Array())).toBe("not authorized");
  admin.close();
  lending.close();
});
