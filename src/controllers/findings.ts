/** What of the posture should be mended, and how. A finding is a sentence and a command. */
import {
  type CertificateStatus,
  type FileSet,
  MachineConfig,
  ROLE_LABEL,
  type SecurityStatus,
  type TimeStatus,
} from "#resources";
import {
  at,
  type ControllerStatus,
  days,
  type DeepReadonly,
  formatPointer,
  type Instant,
  type Pointer,
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
  if (spec.notAfter === "" || spec.state === "Expired") return [];
  const left = -wholeDays(spec.notAfter, now);
  if (left > 365) return [];
  return [
    {
      reason: "RootEnds",
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
          reason: "WeakKey",
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
      reason: "CertificateTroubled",
      severity: ["Missing", "RenewalDue"].includes(spec.state) ? "warning" : "critical",
      message: `${metadata.id} is ${spec.state}: ${spec.why}`,
      command: metadata.labels[ROLE_LABEL] === "authority" ? APPLY : WATCH,
    }));

/** Due, and nothing in the way: it is renewed at this moment. */
const isQuick = ({ why }: Certificate["spec"]): boolean => !why.includes(";");

function acceptedFinding(root: string, { metadata, spec }: Certificate): Finding[] {
  const { id } = metadata;
  const [reason, command] = ["AcceptedRootRemains" as const, APPLY];
  if (spec.notAfter === "") {
    const message = `${id}, accepted beside the ${root} authority, ${spec.why}: drop it`;
    return [{ reason, severity: "warning", message, command }];
  }
  if (spec.state === "Expired") {
    const message = `${id} ended on ${spec.notAfter} and is still trusted under ${root}: drop it`;
    return [{ reason, severity: "warning", message, command }];
  }
  const message = `${id} is trusted beside the ${root} authority: drop it once nothing needs it`;
  return [{ reason, severity: "info", message, command }];
}

type Time = DeepReadonly<SpecOf<typeof TimeStatus>>;

/** About the clock: who keeps it, and whether it was set. */
export const timeFindings = (time: Time | undefined, now: Instant): Finding[] =>
  time === undefined ? [] : [...keeperFindings(time), ...stepFindings(time, now)];

function keeperFindings(time: Time): Finding[] {
  if (!time.synced) {
    return [
      {
        reason: "ClockUnset",
        severity: "warning",
        message: `${time.source} has not set the clock yet: etcd and Kubernetes certificates wait for it`,
        command: "timedatectl timesync-status || chronyc tracking",
      },
    ];
  }
  if (time.source !== "system clock") return [];
  return [
    {
      reason: "ClockUnkept",
      severity: "warning",
      message: "nobody keeps this machine's clock: certificates are issued by whatever it says",
      command: "systemctl enable --now systemd-timesyncd",
    },
  ];
}

/** For so long a step of the clock is told of. */
const STEP_TOLD = days(1);

function stepFindings({ lastStep }: Time, now: Instant): Finding[] {
  if (lastStep === undefined || Math.abs(now - at(lastStep.at)) > STEP_TOLD) return [];
  const { seconds: by } = lastStep;
  const direction = by < 0 ? "back" : "forward";
  return [
    {
      reason: "ClockStep",
      severity: "warning",
      message: `the clock was set ${direction} by ${lengthOf(Math.abs(by))} at ${lastStep.at}: certificates are judged by what it says now`,
      command: "timedatectl timesync-status || chronyc tracking",
    },
  ];
}

const units = [
  ["days", 86_400],
  ["hours", 3600],
  ["minutes", 60],
] as const;

/** As a person would say it: `3 days`, `90 seconds`. */
function lengthOf(length: number): string {
  const [unit, size] = units.find(([, count]) => length >= 2 * count) ?? ["seconds", 1];
  return `${String(Math.round(length / size))} ${unit}`;
}

/** About the configuration in force, which is served though a new one like it would be refused. */
export const configFindings = (review: readonly string[]): Finding[] =>
  review.map((message) => ({
    reason: "ConfigReview",
    severity: "warning",
    message,
    command: APPLY,
  }));

/** About a configuration that this version cannot read: the one cause of many things that stand still. */
export const unreadableConfig = (problem: string): Finding => ({
  reason: "ConfigUnreadable",
  severity: "critical",
  message: `${problem}; until it is replaced the node goes by what it took from it before`,
  command: APPLY,
});

/** A stored resource that could not be read back when the node started. */
export interface Damaged {
  readonly pointer: Pointer;
  readonly problem: string;
  readonly remedy: string;
  readonly command: string;
}

/** About stored resources that could not be read back. */
export const damageFindings = (damaged: readonly Damaged[]): Finding[] =>
  damaged.map(({ pointer, problem, remedy, command }) => ({
    reason: "StateDamaged",
    severity: pointer.type === MachineConfig.type ? "critical" : "warning",
    message: `${formatPointer(pointer)}: ${problem}; ${remedy}`,
    command,
  }));

/** About the key that signs service-account tokens. */
export const accountFinding = (problem: string): Finding => ({
  reason: "ServiceAccountUnreadable",
  severity: "critical",
  message: `the service-account key cannot be read: ${problem}`,
  command: APPLY,
});

/** About client certificates that apid turns away, so that nobody wonders and none is forgotten. */
export const denialFindings = (count: number): Finding[] =>
  count === 0
    ? []
    : [
        {
          reason: "ClientsDenied",
          severity: "info",
          message: `${count === 1 ? "1 client certificate is" : `${String(count)} client certificates are`} denied on this node`,
          command: "trustplane deny list",
        },
      ];

/** About files that could not be published. */
export const fileFindings = (files: readonly Resource<SpecOf<typeof FileSet>>[]): Finding[] =>
  files
    .filter(({ spec }) => spec.error !== "")
    .map(({ spec }) => ({
      reason: "FilesUnpublished",
      severity: "critical",
      message: spec.error,
      command: `ls -la ${spec.directory}`,
    }));

/** About controllers that fail; those that fail for one reason are one finding. */
export function controllerFindings(
  controllers: readonly Resource<SpecOf<typeof ControllerStatus>>[],
): Finding[] {
  const reasons = new Map<string, { readonly code: string; readonly ids: string[] }>();
  for (const { metadata, spec } of controllers) {
    if (spec.state !== "failing") continue;
    const { code = "", message = "for an unknown reason" } = spec.error ?? {};
    const known = reasons.get(message) ?? { code, ids: [] };
    known.ids.push(metadata.id);
    reasons.set(message, known);
  }
  return [...reasons].map(([message, { code, ids }]) => {
    const [first = ""] = ids;
    const isFull = code === "ERR_STORE_FULL";
    return {
      reason: isFull ? "StoreFull" : "ControllerFails",
      severity: "critical",
      message: `${ids.join(", ")} ${ids.length === 1 ? "fails" : "fail"}: ${message}`,
      command: isFull ? "df -h" : `trustplane get controllerstatus ${first} -o yaml`,
    };
  });
}
