/** Every kind of this project, one file each, and the two lists that a node registers. */
import type { AnyResourceType } from "#runtime";
import { Identity } from "./cluster/identity.ts";
import { ClusterInfo } from "./cluster/info.ts";
import { Member, UNHEARD_LABEL } from "./cluster/member.ts";
import { MemberRecord } from "./cluster/member-record.ts";
import { MemberReport } from "./cluster/member-report.ts";
import { ACTIVE, MachineConfig, ROLLBACK, SEED, STAGED } from "./config/machine-config.ts";
import { MachineType } from "./config/machine-type.ts";
import { PKIStatus } from "./etcd/pki-status.ts";
import { EtcFileSpec } from "./files/etc-file-spec.ts";
import { FileSet } from "./files/file-set.ts";
import { Endpoint } from "./kubernetes/endpoint.ts";
import { SecretsStatus } from "./kubernetes/secrets-status.ts";
import { fqdn, HostnameStatus } from "./network/hostname-status.ts";
import { NetworkStatus } from "./network/network-status.ts";
import { NodeAddress } from "./network/node-address.ts";
import { Service } from "./runtime/service.ts";
import { TimeStatus } from "./runtime/time-status.ts";
import { AcceptedRoot } from "./secrets/accepted-root.ts";
import { AnsweredRequest } from "./secrets/answered-request.ts";
import { ApiCertificates } from "./secrets/api.ts";
import { CertificatePolicy } from "./secrets/certificate-policy.ts";
import { CertSAN } from "./secrets/cert-san.ts";
import {
  CertificateStatus,
  certificateStates,
  ROLE_LABEL,
  ROOT_LABEL,
} from "./secrets/certificate-status.ts";
import { DeniedCertificate } from "./secrets/denied-certificate.ts";
import { EncryptionSalt } from "./secrets/encryption-salt.ts";
import { EtcdRoot } from "./secrets/etcd-root.ts";
import { EtcdSecrets } from "./secrets/etcd.ts";
import { IssuedCertificate } from "./secrets/issued-certificate.ts";
import { JoinToken } from "./secrets/join-token.ts";
import { KubeletSecrets } from "./secrets/kubelet.ts";
import { KubernetesDynamicCerts } from "./secrets/kubernetes-dynamic-certs.ts";
import { KubernetesRoot } from "./secrets/kubernetes-root.ts";
import { KubernetesSecrets } from "./secrets/kubernetes.ts";
import { MachineToken } from "./secrets/machine-token.ts";
import { MaintenanceRoot } from "./secrets/maintenance-root.ts";
import { NodeCertificate } from "./secrets/node-certificate.ts";
import { OSRoot } from "./secrets/os-root.ts";
import { RenewalRequest } from "./secrets/renewal-request.ts";
import { SecurityStatus } from "./secrets/security-status.ts";
import { TrustdCertificates } from "./secrets/trustd.ts";

export {
  AnsweredRequest,
  CertificatePolicy,
  Endpoint,
  IssuedCertificate,
  JoinToken,
  MachineToken,
  MemberRecord,
  MemberReport,
  NodeCertificate,
  AcceptedRoot,
  ACTIVE,
  ApiCertificates,
  CertificateStatus,
  certificateStates,
  CertSAN,
  ClusterInfo,
  DeniedCertificate,
  EncryptionSalt,
  EtcdRoot,
  EtcdSecrets,
  EtcFileSpec,
  FileSet,
  fqdn,
  HostnameStatus,
  Identity,
  KubeletSecrets,
  KubernetesDynamicCerts,
  KubernetesRoot,
  KubernetesSecrets,
  MachineConfig,
  MachineType,
  MaintenanceRoot,
  Member,
  NetworkStatus,
  NodeAddress,
  OSRoot,
  PKIStatus,
  ROLE_LABEL,
  ROOT_LABEL,
  RenewalRequest,
  ROLLBACK,
  SecretsStatus,
  SecurityStatus,
  SEED,
  Service,
  STAGED,
  TimeStatus,
  TrustdCertificates,
  UNHEARD_LABEL,
};

/** Every kind, for the resource definitions. */
export const kinds: readonly AnyResourceType[] = [
  AnsweredRequest,
  CertificatePolicy,
  Endpoint,
  IssuedCertificate,
  JoinToken,
  MachineToken,
  MemberRecord,
  MemberReport,
  NodeCertificate,
  AcceptedRoot,
  ApiCertificates,
  CertificateStatus,
  CertSAN,
  ClusterInfo,
  DeniedCertificate,
  EncryptionSalt,
  EtcdRoot,
  EtcdSecrets,
  EtcFileSpec,
  FileSet,
  HostnameStatus,
  Identity,
  KubeletSecrets,
  KubernetesDynamicCerts,
  KubernetesRoot,
  KubernetesSecrets,
  MachineConfig,
  MachineType,
  MaintenanceRoot,
  Member,
  NetworkStatus,
  NodeAddress,
  OSRoot,
  PKIStatus,
  RenewalRequest,
  SecretsStatus,
  SecurityStatus,
  Service,
  TimeStatus,
  TrustdCertificates,
];

/** Every namespace, with its description. */
export const namespaces: Readonly<Record<string, string>> = {
  cluster: "Cluster membership.",
  config: "Machine configuration.",
  controlplane: "Kubernetes control plane.",
  etcd: "etcd.",
  files: "Files kept on disk.",
  network: "Names and addresses.",
  runtime: "The node and its controllers.",
  secrets: "Roots, certificates and what is known of them.",
};
