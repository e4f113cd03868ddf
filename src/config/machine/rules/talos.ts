/** The rules of Talos for the document without a kind, in its words (talos-pki.md §4.2). */
import { endpointProblem } from "../../endpoint.ts";
import { isRole } from "../../roles.ts";
import type { FieldPath } from "../../yaml/read.ts";
import { contentOf } from "../documents.ts";
import { clusterEndpoint } from "../effective.ts";
import { isControlPlane } from "../load.ts";
import type { Judgement, MachineRule, Subject } from "../judgement.ts";

const about = (
  { document }: Subject,
  path: FieldPath,
  message: string,
  severity?: "warning",
): Judgement => ({ document, path, message, ...(severity && { severity }) });

function* cluster(subject: Subject): Iterable<Judgement> {
  const { config, cluster } = subject;
  if (cluster === undefined) {
    yield about(subject, ["cluster"], "cluster instructions are required");
    return;
  }
  const endpoint = clusterEndpoint(config.documents);
  const path = ["cluster", "controlPlane", "endpoint"];
  if (endpoint === "") yield about(subject, path, "cluster controlplane endpoint is required");
  else if (endpointProblem(endpoint) !== undefined)
    yield about(subject, path, `invalid controlplane endpoint: ${endpointProblem(endpoint) ?? ""}`);
}

function* discovery(subject: Subject): Iterable<Judgement> {
  const { discovery } = subject.cluster ?? {};
  if (discovery?.enabled !== true || discovery.registries?.service?.disabled === true) return;
  const { id, secret } = subject.config.clusterIdentity;
  if (id === "")
    yield about(subject, ["cluster", "id"], "cluster discovery service requires .cluster.id");
  if (secret === "")
    yield about(
      subject,
      ["cluster", "secret"],
      "cluster discovery service requires .cluster.secret",
    );
}

function* install(subject: Subject): Iterable<Judgement> {
  const { mode, machine, config } = subject;
  if (mode !== "metal") return;
  if (config.documents.some(({ kind }) => kind === "UnattendedInstallConfig")) return;
  const path = ["machine", "install"];
  if (machine.install === undefined)
    yield about(subject, path, `install instructions are required in ${JSON.stringify(mode)} mode`);
  else if (machine.install.disk === "" && machine.install.diskSelector == null)
    yield about(subject, path, "either install disk or diskSelector should be defined");
}

const TYPES = ["controlplane", "init", "worker", "join", ""];
const TYPE_PATH = ["machine", "type"];

/** A type that Talos does not know leaves open what every other rule goes by. */
export const unknownType = (subject: Subject): Judgement | undefined =>
  TYPES.includes(subject.machine.type)
    ? undefined
    : about(subject, TYPE_PATH, `unknown machine type ${JSON.stringify(subject.machine.type)}`);

/** Talos takes a machine without a type for a worker; this is for one that makes a bad worker. */
export const missingType = (subject: Subject): Judgement =>
  about(subject, TYPE_PATH, "a type is required: controlplane or worker");

function* machineType(subject: Subject): Iterable<Judgement> {
  const { type } = subject.machine;
  if (type === "controlplane" || type === "worker") return;
  const wanted = isControlPlane(type) ? "controlplane" : "worker";
  const message = `use ${JSON.stringify(wanted)} instead of ${JSON.stringify(type)} for machine type`;
  yield about(subject, TYPE_PATH, message, "warning");
}

function* osAuthority(subject: Subject): Iterable<Judgement> {
  const { ca, acceptedCAs } = subject.machine;
  if (ca === undefined && acceptedCAs.length === 0)
    yield about(
      subject,
      ["machine", "ca"],
      "issuing CA or some accepted CAs are required (.machine.ca, machine.acceptedCAs)",
    );
  if (!subject.isControlPlane) {
    yield* workersAuthorities(subject);
    return;
  }
  if (ca === undefined)
    yield about(subject, ["machine", "ca"], "issuing CA is required (.machine.ca)");
  else if (ca.key === "")
    yield about(
      subject,
      ["machine", "ca", "key"],
      "issuing CA key is required for controlplane nodes (.machine.ca.key)",
    );
}

function* workersAuthorities(subject: Subject): Iterable<Judgement> {
  const { ca, acceptedCAs } = subject.machine;
  if ((ca?.key ?? "") !== "")
    yield about(
      subject,
      ["machine", "ca", "key"],
      "issuing Talos API CA key is not allowed on non-controlplane nodes (.machine.ca)",
    );
  if (ca?.crt === "" && acceptedCAs.length === 0)
    yield about(
      subject,
      ["machine", "ca", "crt"],
      "trusted CA certificates are required on non-controlplane nodes (.machine.ca.crt, .machine.acceptedCAs)",
    );
  if ((subject.cluster?.ca?.key ?? "") !== "")
    yield about(
      subject,
      ["cluster", "ca", "key"],
      "issuing Kubernetes API CA key is not allowed on non-controlplane nodes (.cluster.ca)",
    );
}

function* etcd(subject: Subject): Iterable<Judgement> {
  const etcd = subject.cluster?.etcd;
  if (!subject.isControlPlane && etcd !== undefined)
    yield about(
      subject,
      ["cluster", "etcd"],
      "etcd config is only allowed on control plane machines",
    );
  if (subject.isControlPlane && subject.cluster !== undefined && etcd?.ca === undefined)
    yield about(subject, ["cluster", "etcd", "ca"], "key/cert combination should not be empty");
}

function* talosApiAccess(subject: Subject): Iterable<Judgement> {
  const access = subject.machine.features?.kubernetesTalosAPIAccess;
  if (access?.enabled !== true) return;
  const path = ["machine", "features", "kubernetesTalosAPIAccess"];
  if (!subject.isControlPlane)
    yield about(
      subject,
      path,
      "feature Kubernetes Talos API Access can only be enabled on control plane machines",
    );
  for (const [index, role] of access.allowedRoles.entries())
    if (!isRole(role))
      yield about(
        subject,
        [...path, "allowedRoles", index],
        `invalid role ${JSON.stringify(role)} in allowed roles for Kubernetes Talos API Access`,
      );
}

function* encryption(subject: Subject): Iterable<Judgement> {
  if (!subject.isControlPlane || subject.cluster === undefined) return;
  const { aescbcEncryptionSecret: aescbc, secretboxEncryptionSecret: secretbox } = subject.cluster;
  const document = contentOf(subject.config.documents, "KubeEtcdEncryptionConfig");
  if (aescbc === "" && secretbox === "" && document === undefined)
    yield about(
      subject,
      ["cluster", "secretboxEncryptionSecret"],
      "etcd encryption config is required for control plane machines",
    );
}

/** In the order in which Talos complains. */
export const talosRules: readonly MachineRule[] = [
  cluster,
  etcd,
  discovery,
  install,
  machineType,
  osAuthority,
  talosApiAccess,
  encryption,
];
