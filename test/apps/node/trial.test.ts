/** Configurations that are tried, or staged, over stops of the node. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  authorityPem,
  authorityProfiles,
  issueAuthority,
  type KeyedPem,
  webCryptoKeys,
} from "#pki";
import { ACTIVE, MachineConfig, ROLLBACK, STAGED } from "#resources";
import { after, at, days, manualClock, minutes, seconds, systemRandom } from "#runtime";
import { openMemoryStore, type Store } from "#runtime/store";
import { afterEach, beforeEach, expect, test } from "vitest";
import { settleConfiguration } from "../../../src/apps/node/configuration.ts";
import { openConfigurations, type Configurations } from "../../../src/apps/node/trial.ts";
import { recordingLogger } from "../apid/running-node.ts";

const fixture = join(import.meta.dirname, "../../fixtures/talos-demo/controlplane.yaml");
const original = await readFile(fixture, "utf8");
const named = (name: string) =>
  original.replace("        - demo.example.test\n", `        - ${name}\n`);
const keys = webCryptoKeys();

let clock: ReturnType<typeof manualClock>;
let store: Store;
let node: Configurations;
let log: ReturnType<typeof recordingLogger>;

const surroundings = () => ({ store, clock, keys, random: systemRandom });
const start = async (files: readonly string[] = [], overwrite = false) => {
  const options = { ...surroundings(), overwrite, demoAddress: "127.0.0.1" };
  const { warnings } = await settleConfiguration(files, options);
  log = recordingLogger();
  node = openConfigurations({ ...surroundings(), log: log.log });
  return warnings;
};
/** As a process ends that is killed: nothing is said, nothing is done. */
const kill = () => {
  node[Symbol.dispose]();
};
const held = async (id: string) => (await store.get(MachineConfig, id))?.spec.yaml;
const attempt = (text: string, tryTimeout = minutes(1)) =>
  node.apply(text, { dryRun: false, mode: "try", tryTimeout });
const apply = (text: string) => node.apply(text, { dryRun: false, mode: "no-reboot" });
const stage = (text: string) => node.apply(text, { dryRun: false, mode: "staged" });

beforeEach(async () => {
  clock = manualClock(at("2026-12-01"));
  store = openMemoryStore({ clock });
  await start([fixture]);
});
afterEach(async () => {
  kill();
  await store.close();
});

test("what is tried is in force, and is taken back in time", async () => {
  const { details } = await attempt(named("tried.test"), seconds(90));
  expect(details).toContain(
    "Changed without a reboot: machine.certSANs\nOn trial: it is taken back after 90 s",
  );
  expect(await held(ACTIVE)).toBe(named("tried.test"));
  expect(await held(ROLLBACK)).toBe(original);
  clock.advanceTo(after(clock.now(), seconds(89)));
  expect(log.lines).toEqual([]);
  clock.advanceTo(after(clock.now(), seconds(1)));
  await log.line("nobody confirmed the configuration on trial");
  expect(await held(ACTIVE)).toBe(original);
  expect(await held(ROLLBACK)).toBeUndefined();
});

test.each(["no-reboot", "staged"] as const)("mode %s ends a trial", async (mode) => {
  await attempt(named("tried.test"));
  const { details } = await node.apply(named("tried.test"), { dryRun: false, mode });
  expect(details).toContain("The trial that was under way is over.");
  expect(await held(ROLLBACK)).toBeUndefined();
  expect(clock.nextAlarm()).toBeUndefined();
  expect(await held(ACTIVE)).toBe(named("tried.test"));
});

test("neither a dry run nor what is refused ends a trial", async () => {
  await attempt(named("tried.test"));
  await node.apply(named("other.test"), { dryRun: true, mode: "no-reboot" });
  await expect(apply("machine: [")).rejects.toMatchObject({ code: "ERR_CONFIG_PARSE" });
  clock.advanceTo(after(clock.now(), minutes(1)));
  await log.line("nobody confirmed");
  expect(await held(ACTIVE)).toBe(original);
});

test("after two trials what was confirmed last comes back, counted from the second one", async () => {
  await attempt(named("first.test"));
  clock.advanceTo(after(clock.now(), seconds(50)));
  await attempt(named("second.test"));
  clock.advanceTo(after(clock.now(), seconds(59)));
  expect(await held(ACTIVE)).toBe(named("second.test"));
  clock.advanceTo(after(clock.now(), seconds(1)));
  await log.line("nobody confirmed");
  expect(await held(ACTIVE)).toBe(original);
});

test("a clock that is set does not change how long a trial lasts", async () => {
  await attempt(named("tried.test"));
  clock.stepTo(after(clock.now(), -days(1)));
  clock.advanceTo(after(clock.now(), seconds(59)));
  expect(await held(ROLLBACK)).toBe(original);
  clock.advanceTo(after(clock.now(), seconds(1)));
  await log.line("nobody confirmed");
  expect(await held(ACTIVE)).toBe(original);
});

test("a node that dies during a trial takes it back at its next start", async () => {
  await attempt(named("tried.test"));
  kill();
  expect(await start()).toEqual([expect.stringContaining("before the configuration on trial")]);
  expect(await held(ACTIVE)).toBe(original);
  expect(await held(ROLLBACK)).toBeUndefined();
});

test("a store that does not take the configuration before is asked again", async () => {
  await attempt(named("tried.test"));
  const { core } = store;
  const commit = core.commit.bind(core);
  let isFull = true;
  core.commit = (writes) => (isFull ? Promise.reject(new Error("disk is full")) : commit(writes));
  clock.advanceTo(after(clock.now(), minutes(1)));
  await log.line("cannot be taken back");
  isFull = false;
  clock.advanceTo(after(clock.now(), seconds(5)));
  await log.line("nobody confirmed");
  expect(await held(ACTIVE)).toBe(original);
});

test("a trial that begins while the node ends is waited for by nobody", async () => {
  const attempted = attempt(named("tried.test"));
  kill();
  await attempted;
  expect(await held(ROLLBACK)).toBe(original);
  expect(clock.nextAlarm()).toBeUndefined();
});

test("a node that ends while the store refuses does not ask it again", async () => {
  await attempt(named("tried.test"));
  const refused = Promise.withResolvers<never>();
  const asked = Promise.withResolvers();
  store.core.commit = () => {
    asked.resolve(undefined);
    return refused.promise;
  };
  clock.advanceTo(after(clock.now(), minutes(1)));
  await asked.promise;
  kill();
  refused.reject(new Error("store is closed"));
  await log.line("cannot be taken back");
  expect(clock.nextAlarm()).toBeUndefined();
});

test("what is staged is in force from the next start on", async () => {
  const { details } = await stage(named("staged.test"));
  expect(details).toBe("Staged, to be in force from the next start of the node: machine.certSANs");
  expect(await held(ACTIVE)).toBe(original);
  expect(await held(STAGED)).toBe(named("staged.test"));
  kill();
  expect(await start()).toEqual([]);
  expect(await held(ACTIVE)).toBe(named("staged.test"));
  expect(await held(STAGED)).toBeUndefined();
});

test("what is staged is dropped by the next configuration that is applied, not by a trial", async () => {
  await stage(named("staged.test"));
  await attempt(named("tried.test"));
  expect(await held(STAGED)).toBe(named("staged.test"));
  const { details } = await apply(named("applied.test"));
  expect(details).toContain("The configuration that was staged is dropped.");
  expect(await held(STAGED)).toBeUndefined();
});

test("a start takes back what was tried, then takes up what was staged", async () => {
  await stage(named("staged.test"));
  await attempt(named("tried.test"));
  kill();
  await start();
  expect(await held(ACTIVE)).toBe(named("staged.test"));
  expect(await held(ROLLBACK)).toBeUndefined();
});

test("what is staged and cannot be taken up any more stays staged, and is told", async () => {
  await stage(named("staged.test"));
  kill();
  clock.advanceTo(after(clock.now(), days(365 * 30)));
  expect(await start()).toEqual([
    expect.stringMatching(/the staged configuration is not taken up, .*[^]*expired at/),
  ]);
  expect(await held(ACTIVE)).toBe(original);
  expect(await held(STAGED)).toBe(named("staged.test"));
});

test("a start with a file that overwrites ends both", async () => {
  await stage(named("staged.test"));
  await attempt(named("tried.test"));
  kill();
  expect(await start([fixture], true)).toEqual([]);
  for (const id of [STAGED, ROLLBACK]) expect(await held(id)).toBeUndefined();
  expect(await held(ACTIVE)).toBe(original);
});

/** The configuration with another issuing authority, which the one before is accepted beside. */
function issuedBy({ crt, key }: KeyedPem): string {
  const before = /^ {4}ca:\n {8}crt: (.*)\n {8}key: (.*)\n/m.exec(original)!;
  const encoded = (pem: string) => Buffer.from(pem).toString("base64");
  return original.replace(
    before[0],
    `    ca:\n        crt: ${encoded(crt)}\n        key: ${encoded(key)}\n` +
      `    acceptedCAs:\n        - crt: ${before[1]}\n`,
  );
}

const authority = async (now = clock.now()) =>
  authorityPem(await issueAuthority(authorityProfiles.os, { keys, random: systemRandom, now }));

test.each(["no-reboot", "staged", "try"] as const)(
  "an authority that nobody could reach the node by is refused in mode %s, and nothing changes",
  async (mode) => {
    const [good, other] = [await authority(), await authority()];
    const refusals: readonly (readonly [KeyedPem, RegExp])[] = [
      [{ crt: good.crt, key: other.key }, /machine\.ca\.key: does not match the certificate/],
      [await authority(at("2010-01-01")), /machine\.ca\.crt: expired at 20/],
      [
        await authority(after(clock.now(), days(1))),
        /machine\.ca is not valid before 2026-12-01T23:45/,
      ],
    ];
    for (const [pair, problem] of refusals)
      await expect(node.apply(issuedBy(pair), { dryRun: false, mode })).rejects.toThrow(problem);
    expect(await held(ACTIVE)).toBe(original);
    for (const id of [STAGED, ROLLBACK]) expect(await held(id)).toBeUndefined();
    const { warnings } = await node.apply(issuedBy(good), { dryRun: false, mode });
    expect(warnings).not.toContainEqual(expect.stringContaining("turned away"));
  },
);

test("an authority from a machine whose clock is a little ahead is taken", async () => {
  await expect(
    apply(issuedBy(await authority(after(clock.now(), minutes(18))))), // ours begin 15 minutes early
  ).resolves.toBeDefined();
});

test("a dry run shows what would change, and no secret", async () => {
  const { details } = await node.apply(
    named("new.test").replace(/^ {4}token: .*$/m, "    token: abcdef.0123456789abcdef"),
    { dryRun: true, mode: "no-reboot" },
  );
  expect(details).toContain(
    "Dry run. Changed without a reboot: machine.certSANs, machine.token\n--- in force\n",
  );
  expect(details).toContain("-        - demo.example.test\n+        - new.test\n");
  expect(details).toContain("-    token: <hidden> (before)\n+    token: <hidden> (after)\n");
  expect(details).not.toContain("abcdef.0123456789abcdef");
  expect(await held(ACTIVE)).toBe(original);
});
