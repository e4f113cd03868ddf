/** What of the posture should be mended, and how. A finding is a sentence and a command. */
import type { CertificateStatus, FileSet, SecurityStatus, TimeStatus } from "#resources";
import {
  at,
  type ControllerStatus,
  days,
  type DeepReadonly,
  type Instant,
  type Resource,
  type SpecOf,
} from "#runtime";

export type Finding = SpecOf<typeof SecurityStatus>["findings"][number];
export type Certificate = Resource<SpecOf<typeof CertificateStatus>>;

const APPLY = "trustplane apply-config -f controlplane.yaml";
const WATCH = "trustplane get certificatestatus -w";

/** Whole days from an RFC 3339 time until `now`; negative when it lies ahead. */
export const wholeDays = (time: string, now: Instant): number =>
  Math.trunc((now - at(time)) / days(1));

/** About an authority's remaining life, its key, what is trusted beside it, and its leaves. */
export function rootFindings(
  root: string,
  held: {
    readonly authority: Certificate;
    readonly accepted: readonly Certificate[];
    readonly leaves: readonly Certificate[];
  },
  now: Instant,
): Finding[] {
  const { authority, accepted, leaves } = held;
  return [
    ...ending(root, authority, now),
    ...weakKey(root, authority),
    ...troubled([authority]),
    ...accepted.flatMap((other) => acceptedFinding(root, other)),
    ...troubled(leaves),
  ];
}

function ending(root: string, { spec }: Certificate, now: Instant): Finding[] {
  const left = -wholeDays(spec.notAfter, now);
  if (left > 365 || spec.state === "Expired") return [];
  return [
    {
      severity: left > 30 ? "warning" : "critical",
      message: `the ${root} authority ends in ${String(left)} days: accept a new one beside it, then replace it`,
      command: `trustplane gen secrets -o new-secrets.yaml && ${APPLY}`,
    },
  ];
}

const weakKey = (root: string, { spec }: Certificate): Finding[] =>
  /^RSA-(1\d{3}|2048)$/.test(spec.keyAlgorithm)
    ? [
        {
          severity: "warning",
          message: `the ${root} authority has an ${spec.keyAlgorithm} key: replace it by one of the default algorithm`,
          command: `trustplane gen secrets -o new-secrets.yaml && ${APPLY}`,
        },
      ]
    : [];

const troubled = (certificates: readonly Certificate[]): Finding[] =>
  certificates
    .filter(({ spec }) => spec.state !== "Valid" && !(spec.state === "RenewalDue" && isQuick(spec)))
    .map(({ metadata, spec }) => ({
      severity: ["Missing", "RenewalDue"].includes(spec.state) ? "warning" : "critical",
      message: `${metadata.id} is ${spec.state}: ${spec.why}`,
      command: metadata.labels["trustplane.dev/role"] === "authority" ? APPLY : WATCH,
    }));

/** Due, and nothing in the way: it is renewed at this moment. */
const isQuick = ({ why }: Certificate["spec"]): boolean => !why.includes(";");

const acceptedFinding = (root: string, { metadata, spec }: Certificate): Finding[] =>
  spec.state === "Expired"
    ? [
        {
          severity: "warning",
          message: `${metadata.id} ended on ${spec.notAfter} and is still trusted under ${root}: drop it`,
          command: APPLY,
        },
      ]
    : [
        {
          severity: "info",
          message: `${metadata.id} is trusted beside the ${root} authority: drop it once nothing needs it`,
          command: APPLY,
        },
      ];

/** About who keeps the clock. */
export function timeFindings(time: DeepReadonly<SpecOf<typeof TimeStatus>> | undefined): Finding[] {
  if (time === undefined) return [];
  if (!time.synced) {
    return [
      {
        severity: "warning",
        message: `${time.source} has not set the clock yet: etcd and Kubernetes certificates wait for it`,
        command: "timedatectl timesync-status || chronyc tracking",
      },
    ];
  }
  if (time.source !== "system clock") return [];
  return [
    {
      severity: "warning",
      message: "nobody keeps this machine's clock: certificates are issued by whatever it says",
      command: "systemctl enable --now systemd-timesyncd",
    },
  ];
}

/** About the configuration in force, which is served though a new one like it would be refused. */
export const configFindings = (review: readonly string[]): Finding[] =>
  review.map((message) => ({ severity: "warning", message, command: APPLY }));

/** About files that could not be published. */
export const fileFindings = (files: readonly Resource<SpecOf<typeof FileSet>>[]): Finding[] =>
  files
    .filter(({ spec }) => spec.error !== "")
    .map(({ spec }) => ({
      severity: "critical",
      message: spec.error,
      command: `ls -la ${spec.directory}`,
    }));

/** About controllers that fail. */
export const controllerFindings = (
  controllers: readonly Resource<SpecOf<typeof ControllerStatus>>[],
): Finding[] =>
  controllers
    .filter(({ spec }) => spec.state === "failing")
    .map(({ metadata, spec }) => ({
      severity: "critical",
      message: `${metadata.id} fails: ${spec.error?.message ?? "for an unknown reason"}`,
      command: `trustplane get controllerstatus ${metadata.id} -o yaml`,
    }));
