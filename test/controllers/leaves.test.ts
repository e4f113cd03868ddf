/** A damaged leaf that cannot be issued anew is no leaf, and holds back no other. */
import { AuthorityExpiredError, type IssueLeaf, leafProfiles } from "#pki";
import {
  ApiCertificates,
  CertificateStatus,
  EtcdSecrets,
  KubernetesDynamicCerts,
  KubernetesSecrets,
} from "#resources";
import { ControllerStatus, days, manualClock } from "#runtime";
import { expect, test } from "vitest";
import { keepLeaves } from "../../src/controllers/leaves.ts";
import { demoRoots } from "../pki/demo.ts";
import { beforeRootsEnd, mountNode, START, startOn, storedBy } from "./control-plane.ts";
import { factsOf, issueLeaf, withText } from "./surroundings.ts";

const wanted = {
  admin: { profile: leafProfiles.etcdAdmin, authority: demoRoots.etcd },
  client: { profile: leafProfiles.etcdApiServer, authority: demoRoots.etcd },
};
const unusable = { crt: "garbage", key: "garbage" };
const refuse: IssueLeaf = () => Promise.reject(new AuthorityExpiredError("it ended"));
const issued = () => issueLeaf({ ...wanted.admin, now: START });

const keep = (
  held: Parameters<typeof keepLeaves<keyof typeof wanted>>[0]["held"],
  issue: IssueLeaf,
) => keepLeaves({ held, wanted, issueLeaf: issue, clock: manualClock(START) });

test("a held leaf that is of no use is not kept when none can be issued", async () => {
  const admin = await issued();
  const { leaves, renewAt } = await keep({ admin, client: unusable }, refuse);
  expect(leaves).toEqual({ admin, client: null });
  expect(renewAt).toBe(START); // it is tried again at once, and then the failure is told
  await expect(keep({ ...leaves }, refuse)).rejects.toThrow("it ended");
});

test("a certificate with another's key is of no use", async () => {
  const [admin, other] = [await issued(), await issued()];
  const { leaves } = await keep({ admin, client: { crt: admin.crt, key: other.key } }, refuse);
  expect(leaves.client).toBeNull();
});

test("a leaf that was never issued holds back no other", async () => {
  const issueAdmin: IssueLeaf = (request) =>
    request.profile === leafProfiles.etcdAdmin ? issueLeaf(request) : refuse(request);
  const { leaves } = await keep({}, issueAdmin);
  expect(factsOf(leaves.admin ?? undefined).subject).toBe("CN = talos");
  expect(leaves.client).toBeNull();
  await expect(keep({}, refuse)).rejects.toThrow("it ended");
});

test("after the roots have ended a damaged leaf is missing, says why, and is in no file", async () => {
  const stored = await (async () => {
    await using node = await mountNode({ now: beforeRootsEnd(days(30)) });
    return await storedBy(node);
  })();
  const damage: Readonly<Record<string, readonly string[]>> = {
    [ApiCertificates.type]: ["server", "crt"],
    [EtcdSecrets.type]: ["etcdPeer", "key"],
    [KubernetesDynamicCerts.type]: ["frontProxy", "crt"],
    [KubernetesSecrets.type]: ["schedulerKubeconfig"],
  };
  await using node = await startOn(
    stored.map((other) => {
      const path = damage[other.metadata.type];
      return path ? { ...other, spec: withText(other.spec, path, "garbage") } : other;
    }),
    { now: beforeRootsEnd(-days(30)) },
  );
  const statuses = (await node.store.list(CertificateStatus)).filter(
    ({ spec }) => spec.state !== "Expired",
  );
  expect(statuses.map(({ metadata, spec }) => `${metadata.id} ${spec.state}`)).toEqual([
    "apid-client Missing",
    "apid-server Missing",
    "etcd-peer Missing",
    "front-proxy-client Missing",
    "scheduler Missing",
  ]);
  for (const { spec } of statuses) expect(spec.why).toMatch(/ERR_AUTHORITY_EXPIRED.* ended on /);
  expect(JSON.stringify(node.files)).not.toContain("garbage");
  const failing = (await node.store.list(ControllerStatus)).filter(
    ({ spec }) => spec.state === "failing",
  );
  for (const { spec } of failing) expect(spec.error?.code).toBe("ERR_AUTHORITY_EXPIRED");
});
