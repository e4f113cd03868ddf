/** What may be issued: a policy as data, and what it says of a certificate. */
export { compilePolicy, defaultInForce, withholding } from "./compile.ts";
export type { CompiledPolicy, PolicyInForce } from "./compile.ts";
export { defaultPolicy } from "./default.ts";
export { describeRefusal, enforce, examine, judge } from "./judge.ts";
export type { Bounds, Finding, Judged, Policy, ProfileRules, Refusal, RuleName } from "./policy.ts";
