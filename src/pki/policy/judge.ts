/** What a policy says of a certificate, or of what a request asks for. */
import { PolicyRefusedError, PolicyUnreadableError } from "../errors.ts";
import { formatName } from "../name.ts";
import type { ProfileName } from "../profiles.ts";
import { boundsChecks, type CompiledPolicy } from "./compile.ts";
import type { Bounds, Finding, Judged, Refusal } from "./policy.ts";
import type { Check } from "./rules.ts";

/** What no policy can allow. */
const always: readonly Check[] = [
  {
    rule: "always.leaf",
    field: "basicConstraints",
    values: ({ isCa }) => (isCa === undefined ? [] : [isCa ? "CA:TRUE" : "CA:FALSE"]),
    why: (_, { isCa }) => (isCa === true ? "an authority is no leaf" : undefined),
  },
  {
    rule: "always.hosts",
    field: "subjectAltName",
    values: ({ subjectAltNames = [] }) =>
      subjectAltNames.flatMap((name) =>
        name.kind === "dns" || name.kind === "ip" ? [] : name.kind,
      ),
    why: () => "names are DNS names and addresses",
  },
];

/**
 * What each rule says of each value that it is about.
 *
 * @param profile the name of what it is issued as
 * @param bounds those of the token that it was asked for with
 */
export function* examine(
  judged: Judged,
  profile: string,
  { checks }: CompiledPolicy,
  bounds?: Bounds,
): Generator<Finding> {
  const known = Object.hasOwn(checks, profile) ? checks[profile] : undefined;
  if (known === undefined) {
    const why = "the policy knows no such profile";
    yield { rule: "always.profile", field: "profile", value: profile, why };
    return;
  }
  for (const list of [always, known, bounds === undefined ? [] : boundsChecks(bounds)])
    for (const { rule, field, values, why } of list)
      for (const value of values(judged)) yield { rule, field, value, why: why(value, judged) };
}

/** So many are told of, and the rest is not looked at. */
const REFUSALS_MAX = 10;

const nothing: readonly Refusal[] = Object.freeze([]);

/**
 * What a policy refuses of a certificate; empty when it allows it.
 *
 * @param profile the name of what it is issued as
 * @param bounds those of the token that it was asked for with
 */
export function judge(
  judged: Judged,
  profile: string,
  policy: CompiledPolicy,
  bounds?: Bounds,
): readonly Refusal[] {
  let refusals: Refusal[] | undefined;
  for (const finding of examine(judged, profile, policy, bounds))
    if (isRefusal(finding)) {
      (refusals ??= []).push(finding);
      if (refusals.length >= REFUSALS_MAX || finding.rule.endsWith(".namesMax")) break;
    }
  return refusals ?? nothing;
}

const isRefusal = (finding: Finding): finding is Refusal => finding.why !== undefined;

/** What nodes and clients are issued; all else a node holds itself. */
const othersProfiles: ReadonlySet<string> = new Set<ProfileName>([
  "nodeServer",
  "nodeIdentity",
  "talosClient",
  "userAdmin",
]);

/**
 * @throws {PolicyRefusedError} naming rules and fields, when {@link judge} refuses anything
 * @throws {PolicyUnreadableError} when it is for others, and nobody knows what they may have
 */
export function enforce(
  judged: Judged,
  profile: string,
  policy: CompiledPolicy,
  bounds?: Bounds,
): void {
  if (policy.withheld !== undefined && othersProfiles.has(profile))
    throw new PolicyUnreadableError(policy.withheld);
  const refusals = judge(judged, profile, policy, bounds);
  if (refusals.length === 0) return;
  const shown = refusals.slice(0, SHOWN_MAX).map(describeRefusal);
  if (refusals.length > SHOWN_MAX) shown.push("and more");
  throw new PolicyRefusedError(
    `the policy refuses the certificate for ${quoted(formatName(judged.subject))}: ${shown.join("; ")}`,
    refusals,
  );
}

const SHOWN_MAX = 3;

/** A refusal in a sentence: rule, field, value and reason. */
export const describeRefusal = ({ rule, field, value, why }: Refusal): string =>
  `rule ${rule}, field ${field}: ${quoted(value)}: ${why}`;

const VALUE_MAX = 100;

/** Not longer than is read, and nothing in it drives a terminal. */
function quoted(text: string): string {
  const shown = text.length > VALUE_MAX ? `${text.slice(0, VALUE_MAX)}…` : text;
  return JSON.stringify(shown.toWellFormed()).replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`,
  );
}
