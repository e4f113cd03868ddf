/** Bugs in what signs for nodes and in what nodes do for their certificates. */
import type { Mutant } from "./mutants.ts";

const scenario = "few-join";
const days = 2;

const signing: readonly Mutant[] = [
  {
    name: "a token is not looked at again when its use is put on record",
    file: "apps/trustd/join.ts",
    before: "admit(joining, draft, signing);\n  signing.issuing",
    after: "signing.issuing",
    scenario,
    days,
  },
  {
    name: "a token that has ended is taken",
    file: "apps/trustd/admission/token.ts",
    before: 'if (notAfter !== "" && now >= at(notAfter))',
    after: 'if (notAfter === "never" && now >= at(notAfter))',
    scenario,
    days,
  },
  {
    name: "a token that was revoked is taken",
    file: "apps/trustd/admission/token.ts",
    before: 'if (revoked !== "") return',
    after: 'if (revoked === "yes") return',
    scenario,
    days,
  },
  {
    name: "uses of a token are not counted",
    file: "apps/trustd/records.ts",
    before: "used: resource.spec.used + 1",
    after: "used: resource.spec.used",
    scenario,
    days,
  },
  {
    name: "a machine.token that was replaced is taken for a month",
    file: "controllers/secrets/machine-token.ts",
    before: "const OVERLAP = days(1);",
    after: "const OVERLAP = days(30);",
    scenario,
    days: 4,
  },
  {
    name: "a repeat gets new certificates",
    file: "apps/trustd/repeat.ts",
    before: "now >= at(found.notAfter)",
    after: "now >= 0 || now >= at(found.notAfter)",
    scenario,
    days,
  },
  {
    name: "names of other members are not looked for",
    file: "apps/trustd/admission/others.ts",
    before: "of isMember ? withShortName(names) : namesAt(names)) {",
    after: "of (isMember ? withShortName(names) : namesAt(names)).slice(1000)) {",
    scenario,
    days,
  },
  {
    name: "who has no proof is taken for the member of its id",
    file: "apps/trustd/admission/former.ts",
    before: "if (member === undefined || (former",
    after: "if (member === undefined || former === undefined || (former",
    scenario,
    days,
  },
  {
    name: "what a token is bound to is forgotten when its node has joined",
    file: "apps/trustd/join.ts",
    before: "{ machineType, token, bounds, joined }",
    after: "{ machineType, token, bounds: bounds && null, joined }",
    scenario,
    days,
  },
  {
    name: "a policy that is applied is not asked",
    file: "apps/node/policy.ts",
    before: "compiled = compiledOf(held, compiled, log);",
    after: "compiled ??= compiledOf(held, compiled, log);",
    scenario,
    days,
  },
];

const asking: readonly Mutant[] = [
  {
    name: "who asks for another certificate lets go of the one that it has",
    file: "controllers/secrets/node-certificate.ts",
    before:
      "newRequest(wish, request, { issueRequest, random, now });\n        return { outputs: { certificates: { node: { ...holding, pending } } }",
    after:
      "newRequest(wish, request, { issueRequest, random, now });\n        return { outputs: { certificates: { node: { ...holding, serving: null, pending } } }",
    scenario,
    days,
  },
  {
    name: "a request that is not answered is made anew for each try",
    file: "controllers/secrets/node-certificate.ts",
    before: "answer = await askCertificate({ ...wish, request }, signal);",
    after:
      "const again = await newRequest(wish, null, { issueRequest, random, now });\n        answer = await askCertificate({ ...wish, request: again }, signal);",
    scenario,
    days,
  },
];

/** All of them. */
export const joining: readonly Mutant[] = [...signing, ...asking];
