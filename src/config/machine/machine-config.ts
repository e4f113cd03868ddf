/**
 * A machine configuration: its text, and what is in force whichever document it stands in
 * (talos-pki.md §4.3, §6.4).
 */
import type { KeyedPem } from "#pki";
import type { ConfigDocument } from "./documents.ts";
import type { V1Alpha1 } from "./schema.ts";

/** A certificate alone, PEM. */
export interface CertificatePem {
  readonly crt: string;
}

/** A key alone, PEM. */
export interface KeyPem {
  readonly key: string;
}

/** The root of the Talos API. */
export interface OSRoot {
  /** Present where the configuration holds its key. */
  readonly issuingCA?: KeyedPem;
  /** The issuing one is the last: workers take the type of their key from it. */
  readonly acceptedCAs: CertificatePem[];
  readonly token: string;
  /** Names and addresses, as written. */
  readonly certSANs: string[];
}

/** The roots of Kubernetes, and what its API server is told. */
export interface KubernetesRoot {
  /** Of the cluster. */
  readonly name: string;
  readonly endpoint: string;
  readonly localEndpoint: string;
  readonly certSANs: string[];
  readonly dnsDomain: string;
  readonly issuingCA: KeyedPem;
  /** The issuing one is the first. */
  readonly acceptedCAs: CertificatePem[];
  readonly aggregatorCA: KeyedPem;
  /** The issuing one is the first. */
  readonly acceptedAggregatorCAs: CertificatePem[];
  readonly serviceAccount: KeyPem;
  /** Public; the issuer's is the first. */
  readonly serviceAccountAcceptedKeys: KeyPem[];
  readonly issuerURL: string;
  readonly acceptedIssuers: string[];
  readonly apiAudiences: string[];
  /** Empty unless this one is used. */
  readonly aesCBCEncryptionSecret: string;
  /** Empty unless this one is used. */
  readonly secretboxEncryptionSecret: string;
  readonly bootstrapTokenID: string;
  readonly bootstrapTokenSecret: string;
  /** CIDRs. */
  readonly serviceSubnets: string[];
  /** CIDRs. */
  readonly podSubnets: string[];
}

/** What a kubelet needs to join. */
export interface KubeletJoin {
  readonly endpoint: string;
  /** Of the Kubernetes API; the issuing one is the first. */
  readonly acceptedCAs: CertificatePem[];
  readonly bootstrapTokenID: string;
  readonly bootstrapTokenSecret: string;
}

/** How the machine gets its name. */
export type HostnameChoice =
  | { readonly kind: "static"; readonly hostname: string }
  /** Derived from the machine's identity. */
  | { readonly kind: "stable" }
  /** From outside, as by DHCP. */
  | { readonly kind: "off" }
  /** The configuration does not say. */
  | { readonly kind: "unset" };

/** Talos API access for pods. */
export interface TalosApiAccess {
  readonly allowedRoles: string[];
  readonly allowedKubernetesNamespaces: string[];
}

/** Extra roots of the host's own bundle. */
export interface TrustedRoots {
  readonly name: string;
  /** PEM, one or more. */
  readonly certificates: string;
}

/** A machine configuration. */
export interface MachineConfig {
  /** What it is called in messages: a file, mostly. */
  readonly source: string;
  /** Verbatim. */
  readonly text: string;
  readonly documents: readonly ConfigDocument[];
  /** The document without a kind. */
  readonly v1alpha1: V1Alpha1 | undefined;
  readonly type: "controlplane" | "worker";
  readonly clusterName: string;
  /** Empty texts where the configuration does not say. */
  readonly clusterIdentity: { readonly id: string; readonly secret: string };
  readonly timeDisabled: boolean;
  /** Undefined unless pods may use the Talos API. */
  readonly talosApiAccess: TalosApiAccess | undefined;
  /** Of the certificate in a user's kubeconfig, ms. */
  readonly adminKubeconfigLifetime: number;
  readonly trustedRoots: readonly TrustedRoots[];
  osRoot(): OSRoot;
  /** Undefined unless all three roots of Kubernetes are there, as on a control plane. */
  kubernetesRoot(): KubernetesRoot | undefined;
  /** Undefined where there is none, as on a worker. */
  etcdRoot(): KeyedPem | undefined;
  kubelet(): KubeletJoin;
  hostname(): HostnameChoice;
  /** Of pods and services, CIDRs. */
  clusterNetworks(): string[];
}
