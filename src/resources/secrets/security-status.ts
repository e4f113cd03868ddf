import { defineResource } from "#runtime";
import { z } from "zod";

/** Why there is a finding. */
export const findingReasons = [
  "RootEnds",
  "WeakKey",
  "CertificateTroubled",
  "AcceptedRootRemains",
  "ClockUnset",
  "ClockUnkept",
  "ClockStep",
  "ConfigReview",
  "ConfigUnreadable",
  "StateDamaged",
  "ServiceAccountUnreadable",
  "ClientsDenied",
  "FilesUnpublished",
  "ControllerFails",
  "StoreFull",
] as const;

/** Something about the posture that should be mended, and the command that does it. */
export const finding = z.object({
  /** A word for programs, such as `ClockStep`; {@link findingReasons} are all of them. */
  reason: z.enum(findingReasons),
  severity: z.enum(["info", "warning", "critical"]),
  message: z.string(),
  command: z.string(),
});

/**
 * The PKI posture, one item per root (`os`, `k8s`, `etcd`, `aggregator`, `service-account`) and one for
 * the node. Not Talos' `SecurityStates.talos.dev`, which is about secure boot.
 */
export const SecurityStatus = defineResource({
  type: "SecurityStatuses.secrets.talos.dev",
  namespace: "secrets",
  aliases: ["ss"],
  printColumns: [
    { name: "Algorithm", jsonPath: "{.algorithm}" },
    { name: "Age Days", jsonPath: "{.ageDays}" },
    { name: "Days Left", jsonPath: "{.daysLeft}" },
    { name: "Accepted", jsonPath: "{.accepted}" },
    { name: "Weakest Leaf", jsonPath: "{.weakestLeaf}" },
    { name: "Findings", jsonPath: "{.findings[*].message}" },
  ],
  spec: z.object({
    /** Key algorithm of the root; empty for the node. */
    algorithm: z.string(),
    notAfter: z.string(),
    /** Whole days since notBefore and until notAfter; left out where there is no certificate. */
    ageDays: z.number().optional(),
    daysLeft: z.number().optional(),
    /** How many authorities or keys are trusted, the issuing one included. */
    accepted: z.number(),
    acceptedFingerprints: z.array(z.string()),
    /** Id of the leaf under this root that needs attention first, or that ends first. */
    weakestLeaf: z.string(),
    findings: z.array(finding),
  }),
});
