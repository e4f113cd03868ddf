/** Keeps the kubeconfigs of the control plane's components; waits for the clock. */
import { writeKubeconfig } from "#config";
import { type IssueLeaf, type KeyedPem, type LeafProfile, leafProfiles } from "#pki";
import { KubernetesRoot, KubernetesSecrets, RenewalRequest, TimeStatus } from "#resources";
import { all, defineController, exclusive, gate, one } from "#runtime";
import { type Kubeconfigs, leavesInKubeconfigs } from "../kubeconfigs.ts";
import { keepLeaves, type Wanted } from "../leaves.ts";
import { readableOnes } from "../readable.ts";

type Name = keyof Kubeconfigs;

/** Which certificate each kubeconfig carries, and whether it points at this node or at the cluster. */
const kubeconfigs: Readonly<Record<Name, readonly [LeafProfile, "local" | "cluster"]>> = {
  schedulerKubeconfig: [leafProfiles.scheduler, "local"],
  controllerManagerKubeconfig: [leafProfiles.controllerManager, "local"],
  localhostAdminKubeconfig: [leafProfiles.admin, "local"],
  adminKubeconfig: [leafProfiles.admin, "cluster"],
};
import { replacementsOf } from "../renewal-requests.ts";

/** Under which ids its leaves are reported, and asked for. */
const IDS = {
  controllerManagerKubeconfig: "controller-manager",
  schedulerKubeconfig: "scheduler",
  adminKubeconfig: "admin",
  localhostAdminKubeconfig: "localhost-admin",
} as const;

export const kubernetesController = ({ issueLeaf }: { issueLeaf: IssueLeaf }) =>
  defineController({
    name: "secrets.KubernetesController",
    inputs: {
      root: one(KubernetesRoot, "k8s"),
      time: gate(TimeStatus, "node", (time) => time.synced),
      requests: all(RenewalRequest),
    },
    outputs: { secrets: exclusive(KubernetesSecrets) },

    async reconcile({ inputs, held, clock }) {
      const root = inputs.root.spec;
      const texts = held.secrets["k8s-certs"];
      const { leaves, renewAt } = await keepLeaves<Name>({
        held: texts ? leavesInKubeconfigs(texts) : {},
        wanted: mapValues(kubeconfigs, ([profile]): Wanted => ({
          profile,
          authority: root.issuingCA,
        })),
        replacements: replacementsOf(inputs.requests, IDS),
        issueLeaf,
        clock,
      });
      const ca = readableOnes(root.acceptedCAs)
        .map(({ crt }) => crt)
        .join("");
      const write = (leaf: KeyedPem | null, name: Name) => {
        if (!leaf) return "";
        const [profile, where] = kubeconfigs[name];
        const endpoint = where === "local" ? root.localEndpoint : root.endpoint;
        const user = profile.commonName ?? "admin";
        return writeKubeconfig({ cluster: root.name, endpoint, ca, user, ...leaf });
      };
      return {
        outputs: { secrets: { "k8s-certs": mapValues(leaves, write) } },
        wakeAt: renewAt,
      };
    },
  });

const mapValues = <Value, Result>(
  record: Readonly<Record<Name, Value>>,
  change: (value: Value, name: Name) => Result,
): Record<Name, Result> =>
  Object.fromEntries(
    (Object.keys(record) as Name[]).map((name) => [name, change(record[name], name)]),
  ) as Record<Name, Result>;
