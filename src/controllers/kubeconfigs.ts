/** The leaves in the kubeconfigs of a node, which are YAML, and slow to read. */
import { readKubeconfig } from "#config";
import type { KeyedPem } from "#pki";
import type { KubernetesSecrets } from "#resources";
import type { SpecOf } from "#runtime";
import { readable, remembered } from "./readable.ts";

export type Kubeconfigs = Readonly<SpecOf<typeof KubernetesSecrets>>;

/** By kubeconfig: null where there is none; of a text that is no kubeconfig nothing is of use. */
export type KubeconfigLeaves = Readonly<Record<keyof Kubeconfigs, KeyedPem | null>>;

const leafIn = (text: string): KeyedPem | null =>
  text === "" ? null : (readable(() => readKubeconfig(text)) ?? { crt: text, key: "" });

/** Read once for each object that holds them. */
export const leavesInKubeconfigs = remembered((held: Kubeconfigs): KubeconfigLeaves => ({
  schedulerKubeconfig: leafIn(held.schedulerKubeconfig),
  controllerManagerKubeconfig: leafIn(held.controllerManagerKubeconfig),
  localhostAdminKubeconfig: leafIn(held.localhostAdminKubeconfig),
  adminKubeconfig: leafIn(held.adminKubeconfig),
}));
