/**
 * The part of a configuration that public keys need, as zod schemas over texts; every other field is
 * carried through untouched (talos-pki.md §4.1, §4.4).
 */
import { z } from "zod";

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? "");
const flag = z
  .string()
  .regex(/^(?:true|false)$/i, { error: "is neither true nor false" })
  .nullish()
  .transform((value) => value?.toLowerCase() === "true");
/** As {@link flag}, where absence is not the same as false. */
const choice = z
  .string()
  .regex(/^(?:true|false)$/i, { error: "is neither true nor false" })
  .nullish()
  .transform((value) => (value == null ? undefined : value.toLowerCase() === "true"));
const port = z
  .string()
  .regex(/^\d{1,5}$/, { error: "is not a port" })
  .nullish()
  .transform((value) => (value == null ? 0 : Number(value)));

const list = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .nullish()
    .transform((items) => items ?? []);
const section = <T extends z.ZodRawShape>(shape: T) =>
  z
    .looseObject(shape)
    .nullish()
    .transform((map) => map ?? undefined);

/** A list that a single text may stand for. */
const texts = z.preprocess((value) => (typeof value === "string" ? [value] : value), list(text));

const pair = section({ crt: text, key: text });
const certificate = z.looseObject({ crt: text });
const certAndKey = section({ cert: text, key: text });

/** The machine section of the v1alpha1 document. */
const machine = section({
  type: text,
  token: text,
  ca: pair,
  acceptedCAs: list(certificate),
  certSANs: list(text),
  install: section({ disk: text }),
  network: section({ hostname: text }),
  time: section({ disabled: flag }),
  features: section({
    stableHostname: flag,
    kubernetesTalosAPIAccess: section({
      enabled: flag,
      allowedRoles: list(text),
      allowedKubernetesNamespaces: list(text),
    }),
  }),
});

/** The cluster section of the v1alpha1 document. */
const cluster = section({
  id: text,
  secret: text,
  clusterName: text,
  controlPlane: section({ endpoint: text, localAPIServerPort: port }),
  network: section({ dnsDomain: text, podSubnets: texts, serviceSubnets: texts }),
  token: text,
  aescbcEncryptionSecret: text,
  secretboxEncryptionSecret: text,
  ca: pair,
  acceptedCAs: list(certificate),
  aggregatorCA: pair,
  serviceAccount: section({ key: text }),
  apiServer: section({ certSANs: list(text) }),
  discovery: section({
    enabled: flag,
    registries: section({ service: section({ disabled: flag }) }),
  }),
  etcd: section({ ca: pair }),
  adminKubeconfig: section({ certLifetime: text }),
});

/** The v1alpha1 document: the one without a kind. */
export const v1alpha1 = z.looseObject({ version: text, machine, cluster });

const encryptionKeys = section({ keys: list(z.looseObject({ secret: text })) });

/** The documents of other kinds that are looked into. */
export const documentSchemas = {
  DiscoveryIdentityConfig: z.looseObject({ clusterID: text, clusterSecret: text }),
  HostnameConfig: z.looseObject({ auto: text, hostname: text }),
  KubeAggregatorCAConfig: z.looseObject({ issuingCA: certAndKey, acceptedCAs: list(text) }),
  KubeAPIServerCAConfig: z.looseObject({ issuingCA: certAndKey, acceptedCAs: list(text) }),
  KubeAPIServerConfig: z.looseObject({ certExtraSANs: list(text), apiPort: port }),
  KubeClusterConfig: z.looseObject({ clusterName: text, endpoint: text }),
  KubeEtcdEncryptionConfig: z.looseObject({
    config: section({
      resources: list(
        z.looseObject({
          resources: list(text),
          providers: list(z.looseObject({ secretbox: encryptionKeys, aescbc: encryptionKeys })),
        }),
      ),
    }),
  }),
  KubeNetworkConfig: z.looseObject({ dnsDomain: text, podSubnets: texts, serviceSubnets: texts }),
  KubeServiceAccountConfig: z.looseObject({
    issuer: section({ privateKey: text, issuerURL: text }),
    accepted: section({ publicKeys: list(text), issuers: list(text), audiences: list(text) }),
  }),
  KubeTalosAPIAccessConfig: z.looseObject({
    allowedRoles: list(text),
    allowedKubernetesNamespaces: list(text),
  }),
  TimeSyncConfig: z.looseObject({ enabled: choice }),
  TrustedRootsConfig: z.looseObject({ name: text, certificates: text }),
} as const;

/** The v1alpha1 document, with fields of other parts beside those that are typed. */
export type V1Alpha1 = z.output<typeof v1alpha1>;

/** Kinds that are looked into. */
export type ReadKind = keyof typeof documentSchemas;

/** What the document of a kind holds. */
export type DocumentOf<K extends ReadKind> = z.output<(typeof documentSchemas)[K]>;
