/** Members on record: listed, removed, and leaving by themselves. */
import { describe, expect, test } from "vitest";
import {
  AnsweredRequest,
  DeniedCertificate,
  Member,
  MemberRecord,
  MemberReport,
  UNHEARD_LABEL,
} from "#resources";
import { after, days, hours } from "#runtime";
import { cluster, controlPlane, nodeIdOf, reportOf, START } from "./cluster.ts";

const seen = (name: string) => ({
  ...{ nodeId: nodeIdOf(name), hostname: `${name}.example`, addresses: ["192.0.2.7"] },
  ...{ machineType: "worker" as const, operatingSystem: "", controlPlane: null },
});
const answered = (nodeId: string) => ({
  ...{ nodeId, answered: "2027-03-01T12:00:00Z", notAfter: "2027-03-02T12:00:00Z" },
  ...{ servingCrt: "", identityCrt: "" },
});

test("members are listed with what is on record of them and when they were heard", async () => {
  await using t = await cluster();
  const { asker } = await t.member("worker-1", { token: "abcdef" });
  await t.member("worker-2");
  await t.member("worker-3");
  for (const name of ["worker-1", "worker-2"]) await t.store.create(Member, name, seen(name));
  const labels = { [UNHEARD_LABEL]: "2027-03-01T12:00:00Z" };
  await t.store.create(Member, "worker-3", seen("worker-3"), { labels });
  await t.membership.report(asker, reportOf("worker-1"));
  const list = await t.register.list();
  expect(list.map(({ hostname, state }) => [hostname, state])).toEqual([
    ["cp-1", "Self"],
    ["worker-1.example", "Heard"],
    ["worker-2.example", "Known"],
    ["worker-3.example", "Unheard"],
  ]);
  expect(list[1]).toMatchObject({
    ...{ joined: "2027-03-01T12:00:00Z", lastHeard: "2027-03-01T12:00:00Z", token: "abcdef" },
    ...{ machineType: "worker", nodeId: nodeIdOf("worker-1") },
  });
  expect(list[0]).toMatchObject({ joined: "", lastHeard: "", token: "", notAfter: "" });
});

describe("a removed member", () => {
  test.each([
    ["its node's id", nodeIdOf("worker-1")],
    ["its hostname", "Worker-1.example"],
    ["the first label of that", "worker-1"],
    ["an address", "192.0.2.8"],
    ["an address in another form", "::ffff:192.0.2.8"],
  ])("by %s is off the record at once, and its certificates are denied", async (_, named) => {
    await using t = await cluster();
    const { asker, certificate, nodeId } = await t.member("worker-1");
    const other = await t.member("worker-2", { addresses: ["192.0.2.9"] });
    await t.membership.report(asker, reportOf("worker-1"));
    await t.store.create(AnsweredRequest, "aa", answered(nodeId));
    await t.store.create(AnsweredRequest, "bb", answered(other.nodeId));
    expect(await t.register.remove(named)).toEqual({
      ...{ nodeId, hostname: "worker-1.example", denied: 1 },
      notAfter: expect.stringMatching(/^2027-03-02T/) as string,
    });
    const ids = async (kind: Parameters<typeof t.store.list>[0]) =>
      (await t.store.list(kind)).map(({ metadata }) => metadata.id);
    expect(await ids(MemberRecord)).toEqual([other.nodeId]);
    expect(await ids(MemberReport)).toEqual([]);
    expect(await ids(AnsweredRequest)).toEqual(["bb"]);
    expect(await ids(DeniedCertificate)).toEqual([certificate.fingerprint]);
    const report = t.membership.report(asker, reportOf("worker-1"));
    await expect(report).rejects.toMatchObject({ code: "ERR_NOT_A_MEMBER" });
    expect(await ids(MemberReport)).toEqual([]);
  });

  test("is named once it is none", async () => {
    await using t = await cluster();
    await t.member("worker-1");
    await t.register.remove("worker-1");
    const again = t.register.remove("worker-1");
    await expect(again).rejects.toMatchObject({ code: "ERR_MEMBER_UNKNOWN" });
    await expect(again).rejects.toThrow(/hostname, address or node id "worker-1"$/);
  });

  test("who is none by joining stays, by whatever it is called", async () => {
    await using t = await cluster();
    await t.member("worker-1");
    for (const named of ["cp-1", "192.0.2.1", controlPlane.nodeId])
      await expect(t.register.remove(named)).rejects.toMatchObject({ code: "ERR_MEMBER_KEPT" });
    expect(await t.store.list(MemberRecord)).toHaveLength(1);
  });

  test("is one: a name that several have is refused, and they are named", async () => {
    await using t = await cluster();
    await t.member("worker-1");
    await t.member("worker-2");
    const both = t.register.remove("192.0.2.7");
    await expect(both).rejects.toThrow(/is 2 members: name one of worker-1\.example, worker-2/);
    expect(await t.store.list(MemberRecord)).toHaveLength(2);
  });

  test("denies all that it has been issued, and what is denied already is not counted", async () => {
    await using t = await cluster();
    const { nodeId, certificate } = await t.member("worker-1", {
      identities: ["cd".repeat(32), "ef".repeat(32)],
    });
    const known = { reason: "lost", since: "2027-03-01T12:00:00Z" };
    await t.store.create(DeniedCertificate, "ef".repeat(32), known);
    expect(await t.register.remove(nodeId)).toMatchObject({ denied: 2 });
    const denied = await t.store.list(DeniedCertificate);
    expect(denied.map(({ metadata, spec }) => [metadata.id, spec.reason]).sort()).toEqual(
      [
        ["cd".repeat(32), "worker-1.example was removed from the cluster"],
        ["ef".repeat(32), "lost"],
        [certificate.fingerprint, "worker-1.example was removed from the cluster"],
      ].sort(),
    );
  });
});

test("denials of what has ended by itself go with the next member, a day after the end", async () => {
  await using t = await cluster();
  const lost = { reason: "lost", since: "2027-03-01T12:00:00Z" };
  await t.store.create(DeniedCertificate, "ab".repeat(32), lost);
  const first = await t.member("worker-1");
  const [second, third] = [await t.member("worker-2"), await t.member("worker-3")];
  const denied = async () =>
    (await t.store.list(DeniedCertificate)).map(({ metadata }) => metadata.id);
  await t.register.remove("worker-1");
  t.clock.advanceTo(after(START, days(2) - hours(1)));
  await t.membership.leave(second.asker);
  expect(await denied()).toContain(first.certificate.fingerprint);
  t.clock.advanceTo(after(START, days(2) + hours(1)));
  await t.membership.leave(third.asker);
  expect((await denied()).sort()).toEqual(["ab".repeat(32), third.certificate.fingerprint].sort());
});

test("a member that leaves is off the record, and only itself", async () => {
  await using t = await cluster();
  const { asker, certificate } = await t.member("worker-1");
  const other = await t.member("worker-2");
  await t.membership.report(asker, reportOf("worker-1"));
  await t.membership.leave(asker);
  expect((await t.store.list(MemberRecord)).map(({ metadata }) => metadata.id)).toEqual([
    other.nodeId,
  ]);
  expect(await t.store.list(MemberReport)).toEqual([]);
  expect((await t.store.get(DeniedCertificate, certificate.fingerprint))?.spec).toEqual({
    ...{ reason: "worker-1.example has left the cluster", since: "2027-03-01T12:00:00Z" },
  });
  await expect(t.membership.leave(asker)).rejects.toMatchObject({ code: "ERR_NOT_A_MEMBER" });
  expect(t.lines.map(({ message }) => message)).toEqual(["a member has left"]);
});
