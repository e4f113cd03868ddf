/**
 * Bugs that somebody could have written, one at a time: in a file a text is replaced by another. Each
 * has to be found by a scenario within a few seeds.
 */

import { joining } from "./joining.ts";

/** A planted bug. */
export interface Mutant {
  /** What is wrong with the code then. */
  readonly name: string;
  /** Below `src/`. */
  readonly file: string;
  /** Stands in the file once. */
  readonly before: string;
  readonly after: string;
  /** One of `trustplane simulate --list`, or `fleet` of our tests. */
  readonly scenario: string;
  /** Default 30. */
  readonly days?: number;
}

const pki: readonly Mutant[] = [
  {
    name: "nothing is ever due for renewal",
    file: "pki/renewal.ts",
    before: "return when !== null && now >= when;",
    after: "return when === null && now === 0;",
    scenario: "control-plane",
  },
  {
    name: "renewal comes when the leaf has ended",
    file: "pki/renewal.ts",
    before: "const LATEST = 0.75;",
    after: "const LATEST = 1.2;",
    scenario: "control-plane",
  },
  {
    name: "certificates are not backdated",
    file: "pki/authority.ts",
    before: "export const SKEW = minutes(15);",
    after: "export const SKEW = minutes(0);",
    scenario: "skew",
  },
  {
    name: "jitter is the same for all leaves",
    file: "pki/renewal.ts",
    before: "Number(BigInt.asUintN(32, serialNumber)) / 2 ** 32",
    after: "Number(serialNumber > 0n) / 2",
    scenario: "herd",
    days: 11,
  },
  {
    name: "a leaf is asked to outlive its issuer",
    file: "pki/leaf.ts",
    before: "Math.min(wholeSecond(notBefore + SKEW + lifetime), issuer.notAfter)",
    after: "Math.max(wholeSecond(notBefore + SKEW + lifetime), issuer.notBefore)",
    scenario: "root-end",
  },
  {
    name: "a leaf stays under an authority that was replaced",
    file: "pki/renewal.ts",
    before: 'if (!(await isUnder(leaf, issuer))) return "issuer changed";',
    after: 'if (!(await isUnder(leaf, issuer)) && leaf.isCa) return "issuer changed";',
    scenario: "config-changes",
  },
  {
    name: "names that were changed are not looked at",
    file: "pki/renewal.ts",
    before: "sameSet(leaf.dnsNames, names.dnsNames) &&",
    after: "leaf.dnsNames.length >= 0 &&",
    scenario: "config-changes",
  },
  {
    name: "a leaf that is not valid yet is kept",
    file: "pki/renewal.ts",
    before: "now < notBefore && now >= issuer.notBefore",
    after: "now < notBefore && now < issuer.notBefore",
    scenario: "clock-steps",
  },
  {
    name: "all serial numbers are the same",
    file: "pki/issue.ts",
    before: 'BigInt(`0x${Buffer.from(random.bytes(16)).toString("hex")}`)',
    after: 'BigInt(`0x${Buffer.from(random.bytes(16)).toString("hex").replace(/./g, "7")}`)',
    scenario: "control-plane",
  },
  {
    name: "a leaf gets the key of its issuer",
    file: "pki/leaf.ts",
    before: "key: await key.pem() };\n    keepPairInMind",
    after: "key: request.authority.key };\n    keepPairInMind",
    scenario: "control-plane",
  },
];

const controllers: readonly Mutant[] = [
  {
    name: "a private key gets into a status",
    file: "controllers/secrets/certificate-status.ts",
    before: "why,\n      ...facts(certificate),",
    after: "why: why || String(item.key),\n      ...facts(certificate),",
    scenario: "control-plane",
  },
  {
    name: "an accepted authority is dropped early",
    file: "controllers/secrets/root-os.ts",
    before: "acceptedCAs: root.acceptedCAs,",
    after: "acceptedCAs: root.acceptedCAs.slice(-1),",
    scenario: "config-changes",
  },
  {
    name: "a step of the clock is not told",
    file: "controllers/runtime/time-status.ts",
    before: "fresh = by;",
    after: "fresh = by * 0;",
    scenario: "clock-steps",
  },
  {
    name: "certificates that cannot be read hide the others",
    file: "controllers/secrets/certificate-status.ts",
    before: "inventory(inputs).map(async (item) => {",
    after: "inventory(inputs).slice(1).map(async (item) => {",
    scenario: "control-plane",
  },
  {
    name: "the leaves of apid never wake their controller",
    file: "controllers/secrets/api.ts",
    before: "wakeAt: renewAt };",
    after: "wakeAt: renewAt && null };",
    scenario: "control-plane",
  },
  {
    name: "published files are not written again",
    file: "apps/simulate/node.ts",
    before: "if (files.get(path) !== text) files.set(path, text);",
    after: "if (files.get(path) === undefined) files.set(path, text);",
    scenario: "config-changes",
  },
];

/** Each for a property that no other planted bug breaks. */
const reported: readonly Mutant[] = [
  {
    name: "the client of the front proxy is issued by another root",
    file: "controllers/secrets/kubernetes-dynamic-certs.ts",
    before: "authority: aggregatorCA },",
    after: "authority: issuingCA },",
    scenario: "control-plane",
  },
  {
    name: "the file of an authority lacks the one that issues",
    file: "controllers/file-layout.ts",
    before: '[name]: [issuing, ...others].join("")',
    after: '[name]: others.join("")',
    scenario: "control-plane",
  },
  {
    name: "a controller fails once all is done",
    file: "controllers/secrets/encryption-salt.ts",
    before: 'test(held.salt.salt?.diskSalt ?? "")) return;',
    after: 'test(held.salt.salt?.diskSalt ?? "")) throw new Error("there is one");',
    scenario: "control-plane",
  },
  {
    name: "a step of the clock is told for an hour",
    file: "controllers/findings.ts",
    before: "const STEP_TOLD = days(1);",
    after: "const STEP_TOLD = days(1 / 24);",
    scenario: "clock-steps",
  },
  {
    name: "a full disk is told as any other failure",
    file: "controllers/findings.ts",
    before: 'code === "ERR_STORE_FULL"',
    after: 'code === "ERR_NEVER"',
    scenario: "full-disk",
  },
  {
    name: "leaves are dropped while their controller waits",
    file: "controllers/secrets/etcd.ts",
    before: "outputs: { certificates: held.certificates }, wakeAt }",
    after: "outputs: { certificates: {} }, wakeAt }",
    scenario: "config-changes",
  },
  {
    name: "a controller wakes each second",
    file: "controllers/runtime/time-status.ts",
    before: "wakeAt: fixed(source) ? null : after(",
    after: "wakeAt: fixed(source) ? after(now, 1000) : after(",
    scenario: "control-plane",
  },
  {
    name: "an operator may write a status",
    file: "runtime/store/preconditions.ts",
    before:
      "if (current.owner !== owner) throw new OwnerConflictError(address(current), current.owner);\n  if (current.version !== metadata",
    after:
      'if (current.owner === "nobody") throw new OwnerConflictError(address(current), owner);\n  if (current.version !== metadata',
    scenario: "config-changes",
  },
  {
    name: "statuses of one reconcile are written one by one",
    file: "runtime/engine/committer.ts",
    before: "this.#core.atomic ? this.#core.commit(all) : this.#oneByOne(all)",
    after: "!this.#core.atomic ? this.#core.commit(all) : this.#oneByOne(all)",
    scenario: "control-plane",
  },
];

const engine: readonly Mutant[] = [
  {
    name: "the alarm of a wake-up is dropped",
    file: "runtime/engine/executor.ts",
    before: "else this.#wakeUps.set(unit, unit.wakeAt);",
    after: "else this.#wakeUps.set(unit, null);",
    scenario: "control-plane",
  },
  {
    name: "alarms ring in the wrong order",
    file: "runtime/engine/wake-ups.ts",
    before: "left.when < right.when ||",
    after: "left.when > right.when ||",
    scenario: "control-plane",
  },
  {
    name: "what failed is not tried again",
    file: "runtime/engine/executor.ts",
    before: "earliest([unit.wakeAt, unit.retryAt])",
    after: "earliest([unit.wakeAt])",
    scenario: "config-changes",
  },
  {
    name: "the pause before the next try has no end",
    file: "runtime/backoff.ts",
    before: "const INTERVAL_MS_MAX = seconds(60);",
    after: "const INTERVAL_MS_MAX = seconds(86_400);",
    scenario: "full-disk",
  },
  {
    name: "an error is logged without its code",
    file: "runtime/engine/executor.ts",
    before: '...unit.failure }, "reconcile failed"',
    after: '}, "reconcile failed"',
    scenario: "full-disk",
    days: 60,
  },
  {
    name: "a change while a controller runs is missed",
    file: "runtime/engine/scheduler.ts",
    before: "if (hasChanged(unit)) this.enqueue(unit, unit.reason);",
    after: "if (hasChanged(unit) && unit.attempt > 0) this.enqueue(unit, unit.reason);",
    scenario: "fleet",
  },
  {
    name: "a clock that was set is not looked at",
    file: "runtime/engine/engine.ts",
    before: "clock.onStep(() => this.#startOver())",
    after: "clock.onStep(() => undefined)",
    scenario: "clock-steps",
  },
  {
    name: "the parts of a commit are written one by one",
    file: "runtime/engine/committer.ts",
    before: "this.#core.atomic ? this.#core.commit(all) : this.#oneByOne(all)",
    after: "!this.#core.atomic ? this.#core.commit(all) : this.#oneByOne(all)",
    scenario: "fleet",
  },
  {
    name: "a finalizer is never put on",
    file: "runtime/engine/reconcile.ts",
    before: "for (const resource of inputs.unheld) writes.push(holdOf(resource, name));",
    after: "for (const resource of inputs.unheld.slice(0, 0)) writes.push(holdOf(resource, name));",
    scenario: "fleet",
  },
  {
    name: "a finalizer is taken off before the outputs are gone",
    file: "runtime/engine/reconcile.ts",
    before: "if (!kept.has(key) && !waitsFor(leaving, key))",
    after: "if (!kept.has(key) || !waitsFor(leaving, key))",
    scenario: "fleet",
  },
  {
    name: "outputs that are not wanted any more stay",
    file: "runtime/engine/outputs.ts",
    before: 'if (phase === "running") plan.tornDown.push(...teardownOf(resource));',
    after: 'if (phase !== "running") plan.tornDown.push(...teardownOf(resource));',
    scenario: "fleet",
  },
];

const store: readonly Mutant[] = [
  {
    name: "a watch that broke is not opened again",
    file: "runtime/store/resume.ts",
    before: "if (!this.#isClosed) this.open();\n      });",
    after: "if (this.#isClosed) this.open();\n      });",
    scenario: "fleet",
  },
  {
    name: "what changed while a watch was broken is swallowed",
    file: "runtime/store/resume.ts",
    before: "else if (news.length > 0) this.#options.onEvents(news);",
    after: "else if (news.length < 0) this.#options.onEvents(news);",
    scenario: "fleet",
  },
  {
    name: "a watch that failed is taken for a live one",
    file: "runtime/store/resume.ts",
    before: "error: end,",
    after: "error: () => undefined,",
    scenario: "fleet",
  },
  {
    name: "a commit that failed is acknowledged",
    file: "runtime/store/commit-group.ts",
    before: "for (const member of members) member.reject(error);\n      return;",
    after: "for (const answer of settle) answer();\n      return;",
    scenario: "fleet",
  },
  {
    name: "a commit that failed stays in memory",
    file: "runtime/store/commit-group.ts",
    before: "this.#steps.undo(changes);",
    after: "this.#steps.undo(changes.slice(0, 0));",
    scenario: "fleet",
  },
  {
    name: "versions are not compared",
    file: "runtime/store/preconditions.ts",
    before: "if (current.version !== metadata.version)",
    after: "if (current.version < 0)",
    scenario: "fleet",
  },
  {
    name: "anybody may change what a controller owns",
    file: "runtime/store/preconditions.ts",
    before:
      "if (current.owner !== owner) throw new OwnerConflictError(address(current), current.owner);\n  if (current.version !== metadata",
    after:
      'if (current.owner === "nobody") throw new OwnerConflictError(address(current), owner);\n  if (current.version !== metadata',
    scenario: "fleet",
  },
  {
    name: "what is held by a finalizer can be destroyed",
    file: "runtime/store/preconditions.ts",
    before: "if (current.finalizers.length > 0)",
    after: "if (current.finalizers.length > 9)",
    scenario: "fleet",
  },
  {
    name: "what was destroyed comes back with the next start",
    file: "runtime/store/sqlite/journal.ts",
    before: "else if (row !== undefined) take.run(",
    after: "else if (row === undefined) take.run(",
    scenario: "fleet",
  },
  {
    name: "the first row is lost when a store is opened",
    file: "runtime/store/sqlite/contents.ts",
    before: "resources: [...resources, ...migrated]",
    after: "resources: [...resources.slice(1), ...migrated]",
    scenario: "config-changes",
  },
];

/** All of them. */
export const mutants: readonly Mutant[] = [
  ...pki,
  ...controllers,
  ...reported,
  ...engine,
  ...store,
  ...joining,
];
