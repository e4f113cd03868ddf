/** The policy of a node: stored, followed, replaced by the command line, and what comes of it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import {
  type CompiledPolicy,
  defaultInForce,
  defaultPolicy,
  enforce,
  PolicyUnreadableError,
  readCertificate,
} from "#pki";
import { CertificatePolicy, kinds } from "#resources";
import { hours, pointerTo, seconds, systemClock } from "#runtime";
import { openMemoryStore, openSqliteStore } from "#runtime/store";
import { clusterStoreIn } from "../../../src/apps/node/cluster-store.ts";
import { damageIn } from "../../../src/apps/node/damage.ts";
import { followPolicy } from "../../../src/apps/node/policy.ts";
import { policyPort, profilesOfLeaves } from "../../../src/apps/node/policy-port.ts";
import { issueRoot, recordingLogger } from "../apid/running-node.ts";
import { controlled } from "./controlled-node.ts";

type Node = Awaited<ReturnType<typeof controlled>>;

const apply = async (t: Node, policy: string, ...flags: string[]) => {
  await t.cli.write("policy.yaml", policy);
  return t.run("policy", "apply", "-f", "policy.yaml", ...flags);
};

const forbidding = "profiles:\n  apidServer:\n    keyAlgorithms: [P-256]\n";

test("the default policy is stored and in force from the start", async () => {
  await using t = await controlled();
  const shown = (await t.run("policy", "show")).stdout;
  const byDefault = (await t.run("policy", "show", "--default")).stdout;
  expect(shown).toBe(`description: What Talos would issue, and no more\n${byDefault}`);
  const stored = await t.store.get(CertificatePolicy, "default");
  expect(stored?.spec).toMatchObject({ since: "", profiles: defaultPolicy.profiles });
});

test("a policy is in force when the answer is there, and a dry run changes nothing", async () => {
  await using t = await controlled();
  const before = (await t.run("policy", "show")).stdout;
  const policy = `description: none of theirs\n${forbidding}`;
  const dry = await apply(t, policy, "--dry-run");
  expect(dry.stdout).toMatch(/127\.0\.0\.1 +not changed: dry run\n/);
  expect((await t.run("policy", "show")).stdout).toBe(before);
  const done = await apply(t, policy);
  expect([done.status, done.stdout]).toEqual([0, "NODE        POLICY\n127.0.0.1   in force\n"]);
  const after = (await t.run("policy", "show")).stdout;
  expect(after).toMatch(/^description: none of theirs\nprofiles:\n {4}apidServer:\n/);
  expect(after.split("\n")).toContain("        lifetimeMax: 24h"); // as by default
  // What is shown can be applied, and is then the same.
  expect((await apply(t, after)).status).toBe(0);
  expect((await t.run("policy", "show")).stdout).toBe(after);
});

test("it warns of what is held and would be refused; that stays until it is due, and then says why", async () => {
  await using t = await controlled();
  const { serialNumber, renewAt } = t.held("apid-server");
  const { stderr } = await apply(t, forbidding);
  expect(stderr).toBe(
    "WARNING: 127.0.0.1: apid-server, which this node holds, could not be issued under this policy, and is not " +
      'renewed: rule apidServer.keyAlgorithms, field subjectPublicKeyInfo: "Ed25519": allowed is "P-256"\n',
  );
  await t.node.advance(hours(1));
  expect(t.held("apid-server")).toMatchObject({ serialNumber, state: "Valid", lastError: "" });
  await t.node.advance(Date.parse(renewAt) - t.clock.now() + seconds(1));
  expect(t.held("apid-server")).toMatchObject({
    serialNumber,
    lastError: expect.stringMatching(
      /^ERR_POLICY_REFUSED: .*rule apidServer\.keyAlgorithms, field subjectPublicKeyInfo: "Ed25519"/,
    ) as string,
  });
  await apply(t, "profiles: {}\n"); // as it was
  await t.node.advance(hours(1));
  expect(t.held("apid-server").serialNumber).not.toBe(serialNumber);
});

test("a policy that shortens lives has leaves issued for less, once", async () => {
  await using t = await controlled();
  const { stderr } = await apply(t, "profiles:\n  apidServer:\n    lifetimeMax: 12h\n");
  expect(stderr).toBe("");
  expect((await t.run("renew", "apid-server")).status).toBe(0);
  const { notBefore, notAfter, serialNumber } = t.held("apid-server");
  expect(Date.parse(notAfter) - Date.parse(notBefore)).toBe(hours(12.25));
  await t.run("renew", "apid-client"); // has the same controller look at both
  expect(t.held("apid-server").serialNumber).toBe(serialNumber);
});

test.each(["renew", "rekey"])("%s says which rule and field are in the way", async (verb) => {
  await using t = await controlled();
  await apply(t, forbidding);
  const { serialNumber } = t.held("apid-server");
  const running = t.run(verb, "apid-server");
  await t.asked("apid-server");
  await t.node.settled();
  await t.node.advance(seconds(11));
  const { status, stderr } = await running;
  expect(status).toBe(1);
  expect(stderr).toMatch(
    /not renewed within .*rule apidServer\.keyAlgorithms, field subjectPublicKeyInfo/,
  );
  expect(t.held("apid-server").serialNumber).toBe(serialNumber);
});

test.each([
  ["profiles: [", /InvalidArgument desc = the policy: /],
  ["a", /InvalidArgument desc = the policy: it has to be a mapping/],
  ["profiles: {}\n---\nprofiles: {}\n", /InvalidArgument desc = the policy: it holds several/],
  ["description: 1\n", /InvalidArgument desc = description: it has to be a text/],
  [
    "profiles:\n  nodeserver: {}\n",
    /InvalidArgument desc = profiles\.nodeserver: there is no such/,
  ],
  [
    "profiles:\n  nodeServer:\n    lifetimeMax: 24\n",
    /InvalidArgument desc = profiles\.nodeServer\.lifetimeMax: it has to be a duration/,
  ],
])("what is no policy is refused, naming the field: %j", async (text, words) => {
  await using t = await controlled();
  const { status, stderr } = await apply(t, text);
  expect([status, stderr]).toEqual([1, expect.stringMatching(words)]);
  expect((await t.store.get(CertificatePolicy, "default"))?.spec.since).toBe("");
});

test("several control planes share no store yet, and replace none", async () => {
  await using t = await controlled(undefined, { controlPlanes: ["192.0.2.9"] });
  for (const flags of [[], ["--dry-run"]]) {
    const { status, stderr } = await apply(t, forbidding, ...flags);
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/FailedPrecondition desc = .*share/),
    ]);
  }
  expect((await t.run("policy", "show")).stdout).toContain("RSA-2048");
});

test("why asks the node for the policy in force", async () => {
  await using t = await controlled();
  await t.cli.write("admin.crt", t.admin.crt);
  expect((await t.run("policy", "why", "admin.crt")).status).toBe(0);
  await apply(t, "profiles:\n  talosClient:\n    excludedOrganizations: [os:admin]\n");
  const { status, stdout } = await t.run("policy", "why", "admin.crt");
  expect(status).toBe(3);
  expect(stdout).toMatch(
    /talosClient\.excludedOrganizations +subject\.organizationName +os:admin +refused: it is excluded\n/,
  );
});

test("every leaf that a node holds is known by its profile", async () => {
  await using t = await controlled();
  const { stderr } = await apply(
    t,
    `profiles:\n${Object.keys(defaultPolicy.profiles)
      .map((name) => `  ${name}: { keyAlgorithms: [RSA-8192] }\n`)
      .join("")}`,
  );
  const warned = [...stderr.matchAll(/127\.0\.0\.1: (\S+), which this node holds/g)];
  expect(warned.map(([, id]) => id).sort()).toEqual(Object.keys(profilesOfLeaves).sort());
});

const unreadable = {
  ...{ description: "", since: "2030-01-01T00:00:00Z" },
  profiles: { nodeServer: { lifetimeMax: "for ever" } },
};

const asked = readCertificate((await issueRoot()).crt);

/** Under which profiles nothing is issued, whatever is asked for. */
const withheldBy = (policy: CompiledPolicy) =>
  Object.keys(defaultPolicy.profiles).filter((profile) => {
    try {
      enforce(asked, profile, policy);
      return false;
    } catch (error) {
      return error instanceof PolicyUnreadableError;
    }
  });

const others = ["nodeIdentity", "nodeServer", "talosClient", "userAdmin"];

test("under a stored policy that cannot be used nodes and clients get nothing, and the node its own", async () => {
  const store = openMemoryStore();
  await store.create(CertificatePolicy, "default", unreadable);
  const { log, line } = recordingLogger();
  using followed = await followPolicy({ store, log });
  expect(withheldBy(followed.inForce()).sort()).toEqual(others);
  expect(followed.inForce().policy).toBe(defaultInForce().policy);
  expect(await line("the stored policy cannot be read: nothing is issued")).toMatchObject({
    reason: expect.stringContaining("profiles.nodeServer.lifetimeMax") as string,
  });
  expect((await store.get(CertificatePolicy, "default"))?.spec).toEqual(unreadable);
  const port = policyPort({
    ...{ followed, store, clock: systemClock },
    cluster: clusterStoreIn(store),
  });
  await expect(port.text()).rejects.toThrow(/lifetimeMax.*: apply a policy$/);
  await port.apply("profiles: {}\n", { dryRun: false });
  expect(withheldBy(followed.inForce())).toEqual([]);
});

test("one that comes while the node runs leaves the one before it in force", async () => {
  const store = openMemoryStore();
  const { log, line } = recordingLogger();
  using followed = await followPolicy({ store, log });
  const strict = {
    description: "",
    since: "2030-01-01T00:00:00Z",
    profiles: { nodeServer: { namesMax: 1 } },
  };
  await store.modify(CertificatePolicy, "default", () => strict);
  const before = followed.inForce();
  expect(before.policy.profiles.nodeServer?.namesMax).toBe(1);
  await store.modify(CertificatePolicy, "default", () => unreadable);
  await line("the one before it stays in force");
  expect(followed.inForce()).toBe(before);
  await store.destroy(pointerTo(CertificatePolicy, "default"));
  expect(followed.inForce()).toBe(defaultInForce());
});

test.each(["{", "null", '{"profiles":5}'])(
  "a row of it that is %s withholds from others too, until a policy is applied",
  async (spec) => {
    const directory = await mkdtemp(join(tmpdir(), "trustplane-policy-"));
    const path = join(directory, "state.db");
    try {
      const before = await openSqliteStore({ path, kinds });
      await before.create(CertificatePolicy, "default", { ...unreadable, profiles: {} });
      await before.close();
      const database = new DatabaseSync(path);
      database.prepare("UPDATE resources SET spec = ? WHERE id = 'default'").run(spec);
      database.close();
      await using store = await openSqliteStore({ path, kinds });
      const { log, line } = recordingLogger();
      using followed = await followPolicy({ store, log });
      await line("the stored policy cannot be read: nothing is issued");
      expect(withheldBy(followed.inForce()).sort()).toEqual(others);
      expect(damageIn(store.damagedRows())).toMatchObject([
        { command: "trustplane policy apply -f FILE" },
      ]);
      const port = policyPort({
        ...{ followed, store, clock: systemClock },
        cluster: clusterStoreIn(store),
      });
      await port.apply("profiles:\n  nodeServer:\n    namesMax: 1\n", { dryRun: false });
      expect(followed.inForce().policy.profiles.nodeServer?.namesMax).toBe(1);
      expect(withheldBy(followed.inForce())).toEqual([]);
    } finally {
      await rm(directory, { recursive: true });
    }
  },
);

test("the default policy of an earlier version is replaced by that of this one", async () => {
  const store = openMemoryStore();
  const earlier = { description: "", since: "", profiles: { nodeServer: { namesMax: 1 } } };
  await store.create(CertificatePolicy, "default", earlier);
  using followed = await followPolicy({ store, log: recordingLogger().log });
  expect(followed.inForce().policy).toEqual(defaultPolicy);
  expect((await store.get(CertificatePolicy, "default"))?.spec.profiles).toEqual(
    defaultPolicy.profiles,
  );
});
