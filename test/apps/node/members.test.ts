/** Tokens and members of a node whose controllers are there, by the command line. */
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { isToken } from "#config";
import { DeniedCertificate, JoinToken, Member, MemberRecord, MemberReport } from "#resources";
import { minutes } from "#runtime";
import { joinedMember, nodeIdOf, reportOf } from "../trustd/members/cluster.ts";
import { controlled } from "./controlled-node.ts";

type Controlled = Awaited<ReturnType<typeof controlled>>;

const completed = async (t: Controlled, ...words: string[]) =>
  (await t.cli.run("__complete", "--", "--talosconfig", "talosconfig", ...words, "")).stdout
    .trim()
    .split("\n");
const cells = (stdout: string) =>
  stdout
    .trimEnd()
    .split("\n")
    .map((row) => row.split(/ {3,}/));

const documents = (yaml: string) =>
  parseAllDocuments(yaml).map((each) => each.toJS() as Record<string, unknown>);

test("a token is printed alone, with what there is to say beside it", async () => {
  await using t = await controlled();
  const { status, stdout, stderr } = await t.run("token", "create");
  expect([status, isToken(stdout.trimEnd()), stdout.endsWith("\n")]).toEqual([0, true, true]);
  const id = stdout.slice(0, 6);
  expect(stderr).toBe(
    `hint: token ${id} is good for one join, until 2027-03-02T12:00:00Z, and is not shown again; it belongs ` +
      "in machine.token of a configuration that a node joins with\n",
  );
  expect((await t.store.get(JoinToken, id))?.spec).toMatchObject({
    ...{ uses: 1, machineType: "worker", notAfter: "2027-03-02T12:00:00Z" },
  });
  for (const verb of [
    ["token", "list"],
    ["token", "list", "-o", "json"],
  ])
    expect((await t.run(...verb)).stdout).not.toContain(stdout.slice(7).trimEnd());
});

test("what a token is bound to is listed, and it is revoked by its id", async () => {
  await using t = await controlled();
  const bounds = ["--name", "*.Example.com", "--name", "w.example.org", "--address", "10.0.0.0/8"];
  const many = ["--uses", "20", "--ttl", "1h30m", "--description", "rack 7"];
  const made = await t.run("token", "create", ...bounds, ...many, "-o", "json");
  const { id, token, notAfter } = JSON.parse(made.stdout) as Record<string, string>;
  expect([token?.slice(0, 6), notAfter]).toEqual([id, "2027-03-01T13:30:00Z"]);
  const row = (state: string) => [
    ...[id, state, "0 of 20", "2027-03-01T13:30:00Z", "worker"],
    ...["*.example.com,w.example.org,10.0.0.0/8", "rack 7"],
  ];
  expect(cells((await t.run("token", "list")).stdout)).toEqual([
    ["ID", "STATE", "USED", "NOT AFTER", "TYPE", "BOUND TO", "DESCRIPTION"],
    row("Valid"),
  ]);
  expect(await completed(t, "token", "revoke")).toEqual([id]);
  const revoked = await t.run("token", "revoke", id ?? "");
  expect([revoked.status, revoked.stdout]).toEqual([0, `token ${id} is revoked\n`]);
  expect(cells((await t.run("token", "list")).stdout)[1]).toEqual(row("Revoked"));
  expect(await completed(t, "token", "revoke")).toEqual([""]);
});

test("a list is YAML or JSON for programs, an item each", async () => {
  await using t = await controlled();
  await t.run("token", "create", "--uses", "0", "--ttl", "0");
  await t.run("token", "create", "--machine-type", "controlplane");
  const { stdout } = await t.run("token", "list", "-o", "yaml");
  const listed = documents(stdout);
  expect(listed).toHaveLength(2);
  expect(listed).toContainEqual(
    expect.objectContaining({ uses: 0, notAfter: "", created: "2027-03-01T12:00:00Z" }),
  );
  expect(listed).toContainEqual(expect.objectContaining({ machineType: "controlplane" }));
});

test("who makes a token that lets much in is warned", async () => {
  await using t = await controlled();
  const warned = async (...flags: string[]) => (await t.run("token", "create", ...flags)).stderr;
  expect(await warned("--machine-type", "controlplane")).toMatch(
    /^WARNING: who has this token can/,
  );
  expect(await warned("--uses", "0", "--ttl", "0")).toMatch(/^WARNING: this token lets any number/);
  expect(await warned("--uses", "0")).toMatch(/^hint: token .* is good for any number of joins/);
});

test("wrong words are wrong usage, what the node refuses is a failure", async () => {
  await using t = await controlled();
  for (const flags of [
    ["--ttl", "soon"],
    ["--ttl", "-1h"],
    ["--uses", "x"],
    ["--machine-type", "init"],
  ])
    expect((await t.run("token", "create", ...flags)).status).toBe(2);
  const refused = await t.run("token", "create", "--name", "worker-*");
  expect([refused.status, refused.stdout]).toEqual([1, ""]);
  expect(refused.stderr).toMatch(/InvalidArgument desc = dns_names: "worker-\*" is no DNS name/);
  const unknown = await t.run("token", "revoke", "abcdef");
  expect(unknown.stderr).toMatch(/NotFound desc = there is no join token "abcdef"/);
  const whole = await t.run("token", "revoke", "abcdef.0123456789abcdef");
  expect(whole.stderr).toMatch(/^WARNING: this is a whole token/);
  expect(whole.stderr).not.toContain("0123456789abcdef");
  expect((await t.run("token", "create", "-n", "127.0.0.1,127.0.0.2")).stderr).toContain(
    'command "token create" is not supported with multiple nodes',
  );
});

async function withWorkers() {
  const t = await controlled();
  const joined = async (name: string, address: string) => {
    const made = await joinedMember(t.store, t.root, name, { addresses: [address] });
    await t.node.settled();
    return made;
  };
  return {
    t,
    one: await joined("worker-1", "192.0.2.7"),
    two: await joined("worker-2", "192.0.2.8"),
  };
}

test("members are listed with when they were heard, and marked when they are not", async () => {
  const { t, one } = await withWorkers();
  await using _node = t;
  await t.members.ports.membership.report(one.asker, reportOf("worker-1"));
  const list = async () =>
    documents((await t.run("member", "list", "-o", "yaml")).stdout).map(
      ({ hostname, state, lastHeard }) => [hostname, state, lastHeard],
    );
  const self = ["cp-1.example.test", "Self", ""];
  expect(await list()).toEqual([
    self,
    ["worker-1.example", "Heard", "2027-03-01T12:00:00Z"],
    ["worker-2.example", "Known", ""],
  ]);
  await t.node.advance(minutes(15));
  expect(await list()).toEqual([
    self,
    ["worker-1.example", "Unheard", "2027-03-01T12:00:00Z"],
    ["worker-2.example", "Unheard", ""],
  ]);
  expect(cells((await t.run("member", "list")).stdout).slice(0, 3)).toEqual([
    ["HOSTNAME", "STATE", "TYPE", "ADDRESSES", "LAST HEARD", "NOT AFTER", "JOINED BY"],
    ["cp-1.example.test", "Self", "controlplane", "127.0.0.1", ""],
    [
      ...["worker-1.example", "Unheard", "worker", "192.0.2.7", "2027-03-01T12:00:00Z"],
      ...["2027-03-02T12:00:00Z", "machine.token"],
    ],
  ]);
  const json = (await t.run("member", "list", "-o", "json")).stdout;
  expect(json).toContain(`"nodeId": "${nodeIdOf("worker-1")}"`);
});

test("a member is removed by its name, which says what that cannot take back", async () => {
  const { t, one } = await withWorkers();
  await using _node = t;
  expect(await completed(t, "member", "remove")).toEqual(["worker-1.example", "worker-2.example"]);
  const { status, stdout, stderr } = await t.run("member", "remove", "worker-1");
  expect(status).toBe(0);
  expect(cells(stdout)).toEqual([
    ["REMOVED", "NODE ID", "CERTIFICATES DENIED"],
    ["worker-1.example", one.nodeId, "1"],
  ]);
  expect(stderr).toMatch(
    /^WARNING: the certificate that worker-1\.example serves cannot be revoked: .* until 2027-03-02T/,
  );
  await t.node.settled();
  expect(t.node.list(Member).map(({ metadata }) => metadata.id)).toEqual(["cp-1", "worker-2"]);
  expect(await t.store.list(MemberRecord)).toHaveLength(1);
  expect(await t.store.list(MemberReport)).toEqual([]);
  expect(await t.store.get(DeniedCertificate, one.certificate.fingerprint)).toBeDefined();
  expect((await t.run("member", "remove", "worker-1")).stderr).toMatch(
    /NotFound desc = no member of this cluster has the hostname, address or node id "worker-1"/,
  );
  expect((await t.run("member", "remove", "cp-1")).stderr).toMatch(
    /FailedPrecondition desc = "cp-1" did not join/,
  );
});

test("several control planes have none of that yet, and say what works without", async () => {
  await using t = await controlled(undefined, { controlPlanes: ["127.0.0.1", "192.0.2.2"] });
  for (const verb of [
    ["token", "create"],
    ["token", "list"],
    ["token", "revoke", "abcdef"],
    ["member", "remove", "worker-1"],
  ]) {
    const { status, stdout, stderr } = await t.run(...verb);
    expect([verb, status, stdout]).toEqual([verb, 1, ""]);
    expect(stderr).toMatch(
      /FailedPrecondition desc = this control plane and 192\.0\.2\.2 have no store yet .* machine\.token/,
    );
  }
  const { status, stdout } = await t.run("member", "list");
  expect([status, cells(stdout).map(([name, state]) => [name, state])]).toEqual([
    ...[
      0,
      [
        ["HOSTNAME", "STATE"],
        ["cp-1.example.test", "Self"],
      ],
    ],
  ]);
});
