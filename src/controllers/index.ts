/** Every controller of this project, one file each. */
export { clusterInfoController } from "./cluster/info.ts";
export { memberController } from "./cluster/member.ts";
export { machineTypeController } from "./config/machine-type.ts";
export { fileStatusController } from "./files/status.ts";
export { pkiFilesController, type PublishFiles } from "./files/pki-files.ts";
export { endpointController, type ResolveHost } from "./kubernetes/endpoint.ts";
export { hostnameController } from "./network/hostname.ts";
export { nodeAddressController } from "./network/node-address.ts";
export { inventory, nothingHeld } from "./inventory.ts";
export { networkStatusController } from "./network/status.ts";
export { type AskTime, timeStatusController } from "./runtime/time-status.ts";
export { apiCertSANsController } from "./secrets/api-cert-sans.ts";
export { apiController } from "./secrets/api.ts";
export { certificateStatusController, type KeyMatches } from "./secrets/certificate-status.ts";
export { encryptionSaltController } from "./secrets/encryption-salt.ts";
export { etcdController } from "./secrets/etcd.ts";
export { kubeletController } from "./secrets/kubelet.ts";
export { kubernetesCertSANsController } from "./secrets/kubernetes-cert-sans.ts";
export { kubernetesDynamicCertsController } from "./secrets/kubernetes-dynamic-certs.ts";
export { kubernetesController } from "./secrets/kubernetes.ts";
export { maintenanceCertSANsController } from "./secrets/maintenance-cert-sans.ts";
export { machineTokenController } from "./secrets/machine-token.ts";
export {
  type IssueMaintenanceRoot,
  maintenanceRootController,
} from "./secrets/maintenance-root.ts";
export {
  type AskCertificate,
  type CertificateAnswer,
  type CertificateWish,
  nodeCertificateController,
} from "./secrets/node-certificate.ts";
export { rootEtcdController } from "./secrets/root-etcd.ts";
export { rootKubernetesController } from "./secrets/root-kubernetes.ts";
export { rootOSController } from "./secrets/root-os.ts";
export { securityStatusController } from "./secrets/security-status.ts";
export type { Damaged } from "./findings.ts";
export { trustdController } from "./secrets/trustd.ts";
export { trustedRootsController } from "./secrets/trusted-roots.ts";
export { JoinRefusedError } from "./node-errors.ts";
export { hasNames } from "./node-renewal.ts";
export { type NodeHolding, trustedCAs } from "./node-trust.ts";
export { directories, type Directory, fileSetId } from "./file-layout.ts";
