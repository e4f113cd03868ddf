/** Keeps the kubeconfigs of the control plane's components; waits for the clock. */
import { readKubeconfig, writeKubeconfig } from "#config";
import { type IssueLeaf, keepLeaf, type LeafProfile, leafProfiles } from "#pki";
import { KubernetesRoot, KubernetesSecrets, TimeStatus } from "#resources";
import { defineController, earliest, exclusive, gate, one, type SpecOf } from "#runtime";

type Kubeconfig = keyof SpecOf<typeof KubernetesSecrets>;

/** Which certificate each kubeconfig carries, and whether it points at this node or at the cluster. */
const kubeconfigs: readonly [Kubeconfig, LeafProfile, "local" | "cluster"][] = [
  ["schedulerKubeconfig", leafProfiles.scheduler, "local"],
  ["controllerManagerKubeconfig", leafProfiles.controllerManager, "local"],
  ["localhostAdminKubeconfig", leafProfiles.admin, "local"],
  ["adminKubeconfig", leafProfiles.admin, "cluster"],
];

export const kubernetesController = ({ issueLeaf }: { issueLeaf: IssueLeaf }) =>
  defineController({
    name: "secrets.KubernetesController",
    inputs: {
      root: one(KubernetesRoot, "k8s"),
      time: gate(TimeStatus, "node", (time) => time.synced),
    },
    outputs: { secrets: exclusive(KubernetesSecrets) },

    async reconcile({ inputs, held, clock }) {
      const root = inputs.root.spec;
      const kept = await Promise.all(
        kubeconfigs.map(async ([name, profile, where]) => {
          const text = held.secrets["k8s-certs"]?.[name];
          const { leaf, renewAt } = await keepLeaf({
            held: text === undefined ? undefined : readKubeconfig(text),
            request: { profile, authority: root.issuingCA, now: clock.now() },
            issueLeaf,
          });
          const kubeconfig = writeKubeconfig({
            cluster: root.name,
            endpoint: where === "local" ? root.localEndpoint : root.endpoint,
            ca: root.acceptedCAs.map(({ crt }) => crt).join(""),
            user: profile.commonName ?? "admin",
            ...leaf,
          });
          return { name, kubeconfig, renewAt };
        }),
      );
      const spec = Object.fromEntries(kept.map(({ name, kubeconfig }) => [name, kubeconfig]));
      return {
        outputs: { secrets: { "k8s-certs": spec as Record<Kubeconfig, string> } },
        wakeAt: earliest(kept.map(({ renewAt }) => renewAt)),
      };
    },
  });
