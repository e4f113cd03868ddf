/**
 * Sums up the posture: one item per root and one for the node, with findings and the command that
 * mends each. Derived from the certificates' statuses; looks again when a day begins.
 */
import {
  AcceptedRoot,
  ACTIVE,
  CertificateStatus,
  DeniedCertificate,
  FileSet,
  KubernetesRoot,
  MachineConfig,
  SecurityStatus,
  TimeStatus,
  ROLE_LABEL,
  ROOT_LABEL,
} from "#resources";
import {
  all,
  ControllerStatus,
  days,
  type DeepReadonly,
  defineController,
  exclusive,
  type Instant,
  instantOf,
  maybe,
  type SpecOf,
} from "#runtime";
import {
  accountFinding,
  type Certificate,
  configFindings,
  controllerFindings,
  type Damaged,
  damageFindings,
  denialFindings,
  fileFindings,
  type Finding,
  rootFindings,
  timeFindings,
  unreadableConfig,
  wholeDays,
} from "../findings.ts";
import { roots } from "../inventory.ts";
import { whyUnreadable } from "../stored-config.ts";

type Status = SpecOf<typeof SecurityStatus>;

interface Options {
  /** Problems and warnings of a stored configuration, as `validate` would print them. */
  readonly reviewConfig: (yaml: string, now: Instant) => Promise<readonly string[]>;
  /** The algorithm of a private key in PEM. */
  readonly keyAlgorithmOf: (pem: string) => Promise<string>;
  /** What of the stored state could not be read back. */
  readonly damaged?: readonly Damaged[];
}

export const securityStatusController = (options: Options) =>
  defineController({
    name: "secrets.SecurityStatusController",
    inputs: {
      certificates: all(CertificateStatus),
      k8s: maybe(KubernetesRoot, "k8s", { damagedIsAbsent: true }),
      accepted: all(AcceptedRoot),
      config: maybe(MachineConfig, ACTIVE, { damagedIsAbsent: true }),
      time: maybe(TimeStatus, "node", { damagedIsAbsent: true }),
      denied: all(DeniedCertificate),
      files: all(FileSet),
      controllers: all(ControllerStatus),
    },
    outputs: { statuses: exclusive(SecurityStatus) },

    async reconcile({ inputs, clock }) {
      const now = clock.now();
      const statuses: Record<string, Status> = {};
      for (const root of roots) {
        const under = inputs.certificates.filter((c) => c.metadata.labels[ROOT_LABEL] === root);
        const status = rootStatus(root, under, now);
        if (status) statuses[root] = status;
      }
      const account = inputs.k8s?.spec;
      if (account) {
        const also = inputs.accepted.find(({ metadata }) => metadata.id === "service-account");
        statuses["service-account"] = {
          ...nothing,
          ...(await accountKey(account.serviceAccount.key, options)),
          accepted:
            account.serviceAccountAcceptedKeys.length + (also?.spec.acceptedKeys.length ?? 0),
        };
      }
      const findings = [
        ...damageFindings(options.damaged ?? []),
        ...timeFindings(inputs.time?.spec, now),
        ...(inputs.config ? await review(inputs.config.spec, now, options) : []),
        ...denialFindings(inputs.denied.length),
        ...fileFindings(inputs.files),
        ...controllerFindings(inputs.controllers),
      ];
      statuses.node = { ...nothing, findings };
      return { outputs: { statuses }, wakeAt: startOfNextDay(now) };
    },
  });

async function accountKey(
  pem: string,
  { keyAlgorithmOf }: Options,
): Promise<Pick<Status, "algorithm" | "findings">> {
  try {
    return { algorithm: await keyAlgorithmOf(pem), findings: [] };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { algorithm: "", findings: [accountFinding(problem)] };
  }
}

async function review(
  config: DeepReadonly<SpecOf<typeof MachineConfig>>,
  now: Instant,
  { reviewConfig }: Options,
): Promise<Finding[]> {
  const problem = whyUnreadable(config);
  return problem === null
    ? configFindings(await reviewConfig(config.yaml, now))
    : [unreadableConfig(problem)];
}

function rootStatus(root: string, under: readonly Certificate[], now: Instant): Status | null {
  const role = (wanted: string) => under.filter((c) => c.metadata.labels[ROLE_LABEL] === wanted);
  const authority = role("authority")[0];
  if (!authority) return null;
  const accepted = [authority, ...role("accepted")];
  const leaves = role("leaf");
  const weakest =
    leaves.find(({ spec }) => spec.state !== "Valid") ??
    [...leaves].sort((a, b) => (a.spec.notAfter < b.spec.notAfter ? -1 : 1))[0];
  return {
    algorithm: authority.spec.keyAlgorithm,
    notAfter: authority.spec.notAfter,
    ...(authority.spec.notAfter !== "" && {
      ageDays: wholeDays(authority.spec.notBefore, now),
      daysLeft: -wholeDays(authority.spec.notAfter, now),
    }),
    accepted: accepted.length,
    acceptedFingerprints: accepted.flatMap(({ spec }) => spec.spkiFingerprint || []),
    weakestLeaf: weakest?.metadata.id ?? "",
    findings: rootFindings(root, { authority, accepted: role("accepted"), leaves }, now),
  };
}

const startOfNextDay = (now: Instant): Instant =>
  instantOf((Math.floor(now / days(1)) + 1) * days(1));

const nothing: Status = {
  algorithm: "",
  notAfter: "",
  accepted: 0,
  acceptedFingerprints: [],
  weakestLeaf: "",
  findings: [],
};
