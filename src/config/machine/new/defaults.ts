/** Configuration of kube-apiserver that Talos begins with. */

/** Pod security: baseline is enforced, restricted is warned about. */
export const podSecurity = {
  apiVersion: "pod-security.admission.config.k8s.io/v1alpha1",
  defaults: {
    audit: "restricted",
    "audit-version": "latest",
    enforce: "baseline",
    "enforce-version": "latest",
    warn: "restricted",
    "warn-version": "latest",
  },
  exemptions: { namespaces: ["kube-system"], runtimeClasses: [], usernames: [] },
  kind: "PodSecurityConfiguration",
} as const;

/** Audit: who did what, without bodies. */
export const auditPolicy = {
  apiVersion: "audit.k8s.io/v1",
  kind: "Policy",
  rules: [{ level: "Metadata" }],
} as const;

/** Authentication: nobody is anonymous but for health checks. */
export const authentication = {
  anonymous: {
    conditions: [{ path: "/livez" }, { path: "/readyz" }, { path: "/healthz" }],
    enabled: true,
  },
  jwt: [],
} as const;
