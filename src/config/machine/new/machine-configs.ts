/** The configurations of a new cluster's machines (talos-pki.md §3.5). */
import { isAtLeast } from "../../talos-version.ts";
import { writeYamlDocuments } from "../../yaml/write.ts";
import { blueprintOf, type MachineConfigSources } from "./blueprint.ts";
import * as manyDocuments from "./many-documents.ts";
import * as singleDocument from "./single-document.ts";

/**
 * Writes the configurations of a cluster's control planes and workers, as `talosctl` does for the
 * same version of Talos; both are secret as a whole.
 *
 * @throws {EndpointError} when the endpoint is not an https URL
 * @throws {CertSanError} when an additional SAN is neither a DNS name nor an address
 * @throws {TalosVersionError} when the version is not one
 */
export function generateMachineConfigs(sources: MachineConfigSources): {
  readonly controlplane: string;
  readonly worker: string;
} {
  const blueprint = blueprintOf(sources);
  const form = isAtLeast(blueprint.version, 14) ? manyDocuments : singleDocument;
  return {
    controlplane: writeYamlDocuments(form.controlPlaneDocuments(blueprint)),
    worker: writeYamlDocuments(form.workerDocuments(blueprint)),
  };
}
