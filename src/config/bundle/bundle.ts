/** The secrets bundle: everything secret that a cluster begins with (talos-pki.md §3.1). */
import type { KeyedPem } from "#pki";

/** What `secrets.yaml` holds; certificates and keys are PEM texts. */
export interface SecretsBundle {
  readonly cluster: {
    /** Public; 32 random bytes as base64. */
    readonly id: string;
    /** 32 random bytes as base64. */
    readonly secret: string;
  };
  /** Has one of the two encryption secrets. */
  readonly secrets: {
    /** Joins machines to Kubernetes; form 6.16. */
    readonly bootstrapToken: string;
    /** Up to Talos 1.2. */
    readonly aescbcEncryptionSecret?: string;
    /** From Talos 1.3 on. */
    readonly secretboxEncryptionSecret?: string;
  };
  readonly trustdInfo: {
    /** Joins machines to Talos; form 6.16. */
    readonly token: string;
  };
  readonly certs: {
    readonly etcd: KeyedPem;
    readonly k8s: KeyedPem;
    readonly k8sAggregator: KeyedPem;
    readonly k8sServiceAccount: { readonly key: string };
    readonly os: KeyedPem;
  };
}

/** A bundle that was read, and what there is to say about its file. */
export interface LoadedBundle {
  readonly bundle: SecretsBundle;
  readonly warnings: readonly string[];
}
