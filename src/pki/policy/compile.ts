/** Policies, made ready to be asked. */
import { readDuration } from "../duration.ts";
import { PolicyInvalidError } from "../errors.ts";
import { defaultPolicy } from "./default.ts";
import type { Bounds, Policy, ProfileRules } from "./policy.ts";
import { type Check, rules } from "./rules.ts";

/** A policy that is ready to be asked; {@link judge} asks it. */
export interface CompiledPolicy {
  /** The whole of it: what was left out is there. */
  readonly policy: Policy;
  readonly checks: Readonly<Partial<Record<string, readonly Check[]>>>;
  /** The longest that leaves of a profile may live, milliseconds; left out: as long as anybody likes. */
  readonly lifetimes: Readonly<Partial<Record<string, number>>>;
  /** Why nodes and clients get nothing by it, whatever they ask for; left out: what it allows. */
  readonly withheld?: string;
}

/** The policy in force at the moment. */
export type PolicyInForce = () => CompiledPolicy;

/**
 * Makes a policy ready. A profile that is left out, and a rule that is left out of a profile, is as in
 * the default policy.
 *
 * @param given of any shape: it may be what somebody has written
 * @throws {PolicyInvalidError} naming what is no profile, no rule, or no bound of its rule
 */
export function compilePolicy(given: unknown): CompiledPolicy {
  const top = members(given, "");
  const unknown = Object.keys(top).find((name) => !TOP.includes(name));
  if (unknown !== undefined)
    throw new PolicyInvalidError(unknown, `there is no such member: there is ${TOP.join(", ")}`);
  const profiles = members(top.profiles ?? {}, "profiles");
  for (const [name, bounds] of Object.entries(profiles)) {
    const path = `profiles.${name}`;
    if (!Object.hasOwn(defaultPolicy.profiles, name))
      throw new PolicyInvalidError(
        path,
        `there is no such profile: there is ${Object.keys(defaultPolicy.profiles).join(", ")}`,
      );
    for (const rule of Object.keys(members(bounds, path)))
      if (!Object.hasOwn(rules, rule))
        throw new PolicyInvalidError(
          `${path}.${rule}`,
          `there is no such rule: there is ${Object.keys(rules).join(", ")}`,
        );
  }
  const whole = Object.entries(defaultPolicy.profiles).map(
    ([name, bounds]) => [name, { ...bounds, ...stated(profiles[name] ?? {}) }] as const,
  );
  return {
    policy: { profiles: Object.fromEntries(whole) },
    checks: Object.fromEntries(whole.map(([name, bounds]) => [name, checksOf(name, bounds)])),
    lifetimes: Object.fromEntries(
      whole.flatMap(([name, { lifetimeMax = "" }]) => {
        const most = readDuration(lifetimeMax);
        return most === undefined ? [] : [[name, most] as const];
      }),
    ),
  };
}

/** The first two are for people. */
const TOP = ["description", "since", "profiles"];

/** @throws {PolicyInvalidError} when it is no mapping */
function members(value: unknown, path: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new PolicyInvalidError(path, "it has to be a mapping");
  return value as Readonly<Record<string, unknown>>;
}

const stated = (bounds: unknown): ProfileRules =>
  Object.fromEntries(Object.entries(bounds as object).filter(([, bound]) => bound !== undefined));

const checksOf = (profile: string, bounds: Readonly<Record<string, unknown>> | ProfileRules) =>
  Object.entries(rules).flatMap(([rule, { field, values, compile }]): Check[] => {
    const bound = bounds[rule as keyof ProfileRules];
    if (bound === undefined) return [];
    const why = compile(bound, `profiles.${profile}.${rule}`);
    return [{ rule: `${profile}.${rule}`, field, values, why }];
  });

const compiledBounds = new WeakMap<Bounds, readonly Check[]>();

/** The checks of what bounds a token; made once for the same object. */
export function boundsChecks(bounds: Bounds): readonly Check[] {
  const before = compiledBounds.get(bounds);
  if (before !== undefined) return before;
  const checks = (["dnsNames", "addresses"] as const).flatMap((rule): Check[] => {
    if (bounds[rule].length === 0) return [];
    const { field, values, compile } = rules[rule];
    return [{ rule: `token.${rule}`, field, values, why: compile(bounds[rule], `token.${rule}`) }];
  });
  compiledBounds.set(bounds, checks);
  return checks;
}

const compiledDefault = compilePolicy(defaultPolicy);

/** The default policy is in force. */
export const defaultInForce: PolicyInForce = () => compiledDefault;

/**
 * What is in force while nobody knows what should be: the default policy for what a node holds itself,
 * so that it goes on, and nothing for others.
 *
 * @param problem why nobody knows
 */
export const withholding = (problem: string): CompiledPolicy => ({
  ...compiledDefault,
  withheld: problem,
});
