/** Rebuilds a bundle from the configuration of a control plane (talos-pki.md §3.4). */
import type { KeyedPem } from "#pki";
import { ConfigIncompleteError } from "../errors.ts";
import { V1ALPHA1, contentOf } from "../machine/documents.ts";
import {
  aggregatorAuthorities,
  encryptionSecrets,
  kubernetesAuthorities,
  serviceAccountKey,
} from "../machine/effective.ts";
import type { MachineConfig } from "../machine/machine-config.ts";
import type { SecretsBundle } from "./bundle.ts";

const NO_ROOT: KeyedPem = { crt: "", key: "" };

/**
 * Takes the secrets of a cluster out of a control plane's configuration. Nothing is made up: an id
 * that is not there stays empty.
 *
 * @throws {ConfigIncompleteError} naming each authority or key that is not there, as in a worker's
 */
export function bundleFromMachineConfig(config: MachineConfig): SecretsBundle {
  const { documents } = config;
  const { issuingCA: os = NO_ROOT, token } = config.osRoot();
  const { issuingCA: k8s } = kubernetesAuthorities(documents);
  const { aggregatorCA: k8sAggregator } = aggregatorAuthorities(documents);
  const etcd = config.etcdRoot() ?? NO_ROOT;
  const k8sServiceAccount = { key: serviceAccountKey(documents) };
  const missing = Object.entries({
    "the Talos API CA (machine.ca)": os.key,
    "the Kubernetes CA (cluster.ca)": k8s.crt && k8s.key,
    "the aggregator CA (cluster.aggregatorCA)": k8sAggregator.crt && k8sAggregator.key,
    "the service-account key (cluster.serviceAccount.key)": k8sServiceAccount.key,
    "the etcd CA (cluster.etcd.ca)": etcd.key,
  }).filter(([, key]) => key === "");
  if (missing.length > 0)
    throw new ConfigIncompleteError(
      `${config.source} does not hold, or without its key, ${missing.map(([name]) => name).join(", ")}: ` +
        "a bundle needs the configuration of a control plane",
    );
  const { aesCBCEncryptionSecret, secretboxEncryptionSecret } = encryptionSecrets(documents);
  return {
    cluster: config.clusterIdentity,
    secrets: {
      bootstrapToken: contentOf(documents, V1ALPHA1)?.cluster?.token ?? "",
      ...(aesCBCEncryptionSecret !== "" && { aescbcEncryptionSecret: aesCBCEncryptionSecret }),
      ...(secretboxEncryptionSecret !== "" && { secretboxEncryptionSecret }),
    },
    trustdInfo: { token },
    certs: { etcd, k8s, k8sAggregator, k8sServiceAccount, os },
  };
}
