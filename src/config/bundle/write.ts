/** Writes `secrets.yaml`, byte for byte as Talos does (talos-pki.md §3.1). */
import type { KeyedPem } from "#pki";
import { encodePem } from "../pem-text.ts";
import { writeYaml } from "../yaml/write.ts";
import type { SecretsBundle } from "./bundle.ts";

/** The text of a bundle; it is secret as a whole. */
export const writeBundle = ({ cluster, secrets, trustdInfo, certs }: SecretsBundle): string =>
  writeYaml({
    cluster: { id: cluster.id, secret: cluster.secret },
    secrets: {
      bootstraptoken: secrets.bootstrapToken,
      aescbcencryptionsecret: secrets.aescbcEncryptionSecret,
      secretboxencryptionsecret: secrets.secretboxEncryptionSecret,
    },
    trustdinfo: { token: trustdInfo.token },
    certs: {
      etcd: pair(certs.etcd),
      k8s: pair(certs.k8s),
      k8saggregator: pair(certs.k8sAggregator),
      k8sserviceaccount: { key: encodePem(certs.k8sServiceAccount.key) },
      os: pair(certs.os),
    },
  });

const pair = ({ crt, key }: KeyedPem) => ({ crt: encodePem(crt), key: encodePem(key) });
