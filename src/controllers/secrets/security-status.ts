/**
 * Sums up the posture: one item per root and one for the node, with findings and the command that
 * mends each. Derived from the certificates' statuses; looks again when a day begins.
 */
import {
  AcceptedRoot,
  ACTIVE,
  CertificateStatus,
  FileSet,
  KubernetesRoot,
  MachineConfig,
  SecurityStatus,
  TimeStatus,
} from "#resources";
import {
  all,
  ControllerStatus,
  days,
  defineController,
  exclusive,
  type Instant,
  instantOf,
  maybe,
  type SpecOf,
} from "#runtime";
import {
  type Certificate,
  configFindings,
  controllerFindings,
  fileFindings,
  rootFindings,
  timeFindings,
  wholeDays,
} from "../findings.ts";
import { ROLE_LABEL, ROOT_LABEL, roots } from "../inventory.ts";

type Status = SpecOf<typeof SecurityStatus>;

export const securityStatusController = (options: {
  /** Problems and warnings of a stored configuration, as `validate` would print them. */
  readonly reviewConfig: (yaml: string, now: Instant) => Promise<readonly string[]>;
  /** The algorithm of a private key in PEM. */
  readonly keyAlgorithmOf: (pem: string) => Promise<string>;
}) =>
  defineController({
    name: "secrets.SecurityStatusController",
    inputs: {
      certificates: all(CertificateStatus),
      k8s: maybe(KubernetesRoot, "k8s"),
      accepted: all(AcceptedRoot),
      config: maybe(MachineConfig, ACTIVE),
      time: maybe(TimeStatus, "node"),
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
          algorithm: await options.keyAlgorithmOf(account.serviceAccount.key),
          accepted:
            account.serviceAccountAcceptedKeys.length + (also?.spec.acceptedKeys.length ?? 0),
        };
      }
      const yaml = inputs.config?.spec.yaml;
      const review = yaml === undefined ? [] : await options.reviewConfig(yaml, now);
      const findings = [
        ...timeFindings(inputs.time?.spec),
        ...configFindings(review),
        ...fileFindings(inputs.files),
        ...controllerFindings(inputs.controllers),
      ];
      statuses.node = { ...nothing, findings };
      return { outputs: { statuses }, wakeAt: startOfNextDay(now) };
    },
  });

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
    ageDays: wholeDays(authority.spec.notBefore, now),
    daysLeft: -wholeDays(authority.spec.notAfter, now),
    accepted: accepted.length,
    acceptedFingerprints: accepted.map(({ spec }) => spec.spkiFingerprint),
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
