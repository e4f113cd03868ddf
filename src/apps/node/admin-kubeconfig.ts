/** Issues kubeconfigs for administrators; nothing keeps them, and each is another one. */
import { loadMachineConfig, writeKubeconfig } from "#config";
import { type IssueLeaf, leafProfiles } from "#pki";
import { ACTIVE, KubernetesRoot, MachineConfig } from "#resources";
import { hours, type Clock } from "#runtime";
import type { Store } from "#runtime/store";
import { ControlPlaneOnlyError, KubernetesAuthorityMissingError } from "../apid/index.ts";

/**
 * A kubeconfig for the user `admin` of the group `system:masters`, for as long as
 * `cluster.adminKubeconfig.certLifetime` says (talos-pki.md §1.2).
 *
 * @throws {ControlPlaneOnlyError} {@link KubernetesAuthorityMissingError}
 */
export async function issueAdminKubeconfig({
  store,
  clock,
  issueLeaf,
}: {
  readonly store: Store;
  readonly clock: Pick<Clock, "now">;
  readonly issueLeaf: IssueLeaf;
}): Promise<string> {
  const config = (await store.get(MachineConfig, ACTIVE))?.spec.yaml;
  const { type, adminKubeconfigLifetime } =
    config === undefined
      ? { type: undefined, adminKubeconfigLifetime: hours(8760) }
      : loadMachineConfig(config);
  if (type === "worker") throw new ControlPlaneOnlyError("kubeconfig");
  const root = (await store.get(KubernetesRoot, "k8s"))?.spec;
  if (root === undefined || root.issuingCA.key === "") throw new KubernetesAuthorityMissingError();
  const leaf = await issueLeaf({
    profile: leafProfiles.userAdmin,
    authority: root.issuingCA,
    now: clock.now(),
    lifetime: adminKubeconfigLifetime,
  });
  const ca = root.acceptedCAs.map(({ crt }) => crt).join("");
  const user = leafProfiles.userAdmin.commonName;
  return writeKubeconfig({ cluster: root.name, endpoint: root.endpoint, ca, user, ...leaf });
}
