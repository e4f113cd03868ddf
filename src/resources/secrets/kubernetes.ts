import { defineResource } from "#runtime";
import { z } from "zod";
import { message, text } from "../encoding.ts";

/** Kubeconfigs of the control plane's components, as YAML texts; empty for one that cannot be issued. Id: `k8s-certs`. */
export const KubernetesSecrets = defineResource({
  type: "KubernetesSecrets.secrets.talos.dev",
  namespace: "secrets",
  sensitivity: "sensitive",
  spec: z.object({
    schedulerKubeconfig: z.string(),
    controllerManagerKubeconfig: z.string(),
    localhostAdminKubeconfig: z.string(),
    adminKubeconfig: z.string(),
  }),
  encoding: {
    proto: message({
      schedulerKubeconfig: text(4),
      controllerManagerKubeconfig: text(5),
      localhostAdminKubeconfig: text(6),
      adminKubeconfig: text(7),
    }),
  },
});
