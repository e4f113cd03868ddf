/** What members say of themselves: about nobody else, within their record, and kept without a storm. */
import { expect, test } from "vitest";
import { leafProfiles, readCertificate } from "#pki";
import { DeniedCertificate, MemberRecord, MemberReport } from "#resources";
import { after, minutes, seconds } from "#runtime";
import type { ReportRequest } from "../../../../src/apps/rpc/gen/node/node.ts";
import { openReports } from "../../../../src/apps/trustd/members/report.ts";
import { issueClient, issueLeaf } from "../../apid/running-node.ts";
import { cluster, nodeIdOf, reportOf, START } from "./cluster.ts";

test("a report is kept with the time of it, and answered with when the next is expected", async () => {
  await using t = await cluster();
  const { asker, nodeId } = await t.member("worker-1");
  expect(await t.membership.report(asker, reportOf("worker-1"))).toEqual({
    ...{ time: new Date(START), nextWithin: 300 },
  });
  expect((await t.store.get(MemberReport, nodeId))?.spec).toEqual({
    ...{ ...reportOf("worker-1"), heard: "2027-03-01T12:00:00Z" },
    certificates: [
      expect.objectContaining({ id: "apid-server", notAfter: "2027-03-01T12:00:00Z" }),
    ],
  });
});

test("it is about the member whose certificate makes the call, whatever it says", async () => {
  await using t = await cluster();
  const { asker } = await t.member("worker-1");
  await t.member("worker-2", { addresses: ["192.0.2.9"] });
  const before = await t.store.list(MemberRecord);
  await expect(t.membership.report(asker, reportOf("worker-2"))).rejects.toThrow(
    /^hostname "worker-2.example" is not that of this member, which is on record as "worker-1.example"/,
  );
  expect(await t.store.list(MemberReport)).toEqual([]);
  expect(await t.store.list(MemberRecord)).toEqual(before);
});

test("nobody reports whose certificate is on no record", async () => {
  await using t = await cluster();
  const { asker, nodeId } = await t.member("worker-1");
  const issue = async (commonName: string, organizations?: string[]) => {
    const profile = leafProfiles.nodeIdentity;
    const request = { profile, authority: t.root, commonName, now: START };
    const { crt } = await issueLeaf({ ...request, ...(organizations && { organizations }) });
    return { ...asker, certificate: readCertificate(crt) };
  };
  const refused = async (who: typeof asker, message: RegExp) => {
    const report = t.membership.report(who, reportOf("worker-1"));
    await expect(report).rejects.toMatchObject({ code: "ERR_NOT_A_MEMBER" });
    await expect(report).rejects.toThrow(message);
  };
  await refused(await issue(nodeId), /is none that its member has on record/);
  await refused(await issue(nodeIdOf("worker-9")), /is no member of this cluster/);
  const admin = await issueClient(t.root, ["os:admin"], { commonName: nodeId, now: START });
  await refused({ ...asker, certificate: readCertificate(admin.crt) }, /not one of a node/);
  await t.store.modify(MemberRecord, nodeId, (record) => void (record.identities = []));
  await refused(asker, /is none that its member has on record/);
  expect(await t.store.list(MemberReport)).toEqual([]);
});

test("an address that is not in its record is refused by name, one of them is not all", async () => {
  await using t = await cluster();
  const { asker, nodeId } = await t.member("worker-1", { addresses: ["192.0.2.7", "fd00::7"] });
  const report = (addresses: string[]) =>
    t.membership.report(asker, reportOf("worker-1", { addresses }));
  await expect(report(["192.0.2.7", "192.0.2.1"])).rejects.toMatchObject({
    code: "ERR_REPORT_REFUSED",
    message: expect.stringContaining("192.0.2.1 is not in the certificate") as string,
  });
  await expect(report(["node"])).rejects.toMatchObject({ code: "ERR_INVALID_REQUEST" });
  await report(["127.0.0.1", "FD00:0::7", "::1"]);
  expect((await t.store.get(MemberReport, nodeId))?.spec.addresses).toEqual(["fd00::7"]);
});

const entry = reportOf("worker-1").certificates[0] ?? expect.fail();
const many = <Item>(item: Item, count: number) => Array.from({ length: count }, () => item);

test.each<[string, Partial<ReportRequest>]>([
  ["a port that is none", { apiPort: 65536 }],
  ["a fingerprint that is none", { serves: "AB".repeat(32) }],
  ["an authority that is none", { acceptedAuthorities: ["ab"] }],
  ["too many certificates", { certificates: many(entry, 201) }],
  ["too many authorities", { acceptedAuthorities: many("ab".repeat(32), 101) }],
  ["too many addresses", { addresses: many("192.0.2.7", 1001) }],
  ["a long name of a system", { operatingSystem: "x".repeat(257) }],
  ["a long reason", { certificates: [{ ...entry, why: "x".repeat(2001) }] }],
  ["a time that is none", { certificates: [{ ...entry, notAfter: new Date(NaN) }] }],
  ["a time of no calendar", { certificates: [{ ...entry, notAfter: new Date(8.64e15) }] }],
])("%s is refused, and nothing is kept", async (_, change) => {
  await using t = await cluster();
  const { asker } = await t.member("worker-1");
  const report = t.membership.report(asker, reportOf("worker-1", change));
  await expect(report).rejects.toMatchObject({ code: "ERR_INVALID_REQUEST" });
  expect(await t.store.list(MemberReport)).toEqual([]);
});

test("what says nothing new is written down every four minutes, what does at once", async () => {
  await using t = await cluster();
  const { asker, nodeId } = await t.member("worker-1");
  const writes = async () => (await t.store.get(MemberReport, nodeId))?.metadata.version;
  for (let i = 0; i < 100; i++) {
    await t.membership.report(asker, reportOf("worker-1"));
    t.clock.advanceTo(after(t.clock.now(), seconds(2)));
  }
  expect(await writes()).toBe(1);
  t.clock.advanceTo(after(START, minutes(4)));
  await t.membership.report(asker, reportOf("worker-1"));
  expect(await writes()).toBe(2);
  expect((await t.store.get(MemberReport, nodeId))?.spec.heard).toBe("2027-03-01T12:04:00Z");
  await t.membership.report(asker, reportOf("worker-1", { apiPort: 50001 }));
  expect(await writes()).toBe(3);
  t.clock.stepTo(START); // set back: the time that is written would not be reached for a while
  await t.membership.report(asker, reportOf("worker-1", { apiPort: 50001 }));
  expect((await t.store.get(MemberReport, nodeId))?.spec.heard).toBe("2027-03-01T12:00:00Z");
});

test("a member that says something new all the time is held back, and others are not", async () => {
  await using t = await cluster();
  const [one, other] = [await t.member("worker-1"), await t.member("worker-2")];
  const say = (apiPort: number) =>
    t.membership.report(one.asker, reportOf("worker-1", { apiPort }));
  for (let port = 1; port <= 20; port++) await say(port);
  await expect(say(21)).rejects.toMatchObject({ code: "ERR_MEMBER_BUSY" });
  await say(20); // nothing new
  await t.membership.report(other.asker, reportOf("worker-2"));
  t.clock.advanceTo(after(START, minutes(1)));
  await say(21);
  expect(await t.store.list(DeniedCertificate)).toEqual([]);
});

test("who is removed while it reports leaves no report behind", async () => {
  await using t = await cluster();
  const { nodeId } = await t.member("worker-1");
  const member = (await t.store.get(MemberRecord, nodeId))!;
  const store: typeof t.store = {
    ...t.store,
    async modify(...change) {
      await t.store.destroy({ ...MemberRecord, id: nodeId });
      return t.store.modify(...change);
    },
  };
  const reporting = openReports(t.clock).keep(store, member, reportOf("worker-1"));
  await expect(reporting).rejects.toMatchObject({ code: "ERR_NOT_A_MEMBER" });
  expect(await t.store.list(MemberReport)).toEqual([]);
});
