/** What a worker says of its certificates: what they wait for, what went wrong, what comes next. */
import type { CertificateAnswer, CertificateWish } from "#controllers";
import { readCertificate } from "#pki";
import { ApiCertificates, CertificateStatus, NodeCertificate, SecurityStatus } from "#resources";
import { after, at, type Clock, CodedError, hours, minutes, seconds } from "#runtime";
import { expect, test } from "vitest";
import { mountNode, START, workerConfig } from "../control-plane.ts";
import { demoRoot, issueFor } from "../joining.ts";

class Unanswered extends CodedError {
  readonly code = "ERR_NOT_ISSUED";
}
const silence = () => Promise.reject(new Unanswered("192.0.2.10: connect ECONNREFUSED"));
const config = workerConfig.replace(/endpoint: https:.*/, "endpoint: https://192.0.2.10:6443");

type Answer = (wish: CertificateWish, clock: Pick<Clock, "now">) => Promise<CertificateAnswer>;

async function worker(first: Answer) {
  const signer = { answer: first };
  let clock: Pick<Clock, "now"> = { now: () => START };
  const askCertificate = (wish: CertificateWish) => signer.answer(wish, clock);
  const node = await mountNode({ config, askCertificate });
  ({ clock } = node);
  const status = (id = "apid-server") => node.spec(CertificateStatus, id);
  const ids = () => node.list(CertificateStatus).map(({ metadata }) => metadata.id);
  return { node, signer, status, ids };
}

test("until something was issued it is missing: with the last error, the next attempt, and a warning", async () => {
  const { node, status, ids } = await worker(silence);
  await using _node = node;
  expect(ids()).toEqual(["apid-server", "os-ca"]);
  expect(status()).toMatchObject({
    state: "Missing",
    why: "ERR_NOT_ISSUED: 192.0.2.10: connect ECONNREFUSED",
    lastError: "ERR_NOT_ISSUED: 192.0.2.10: connect ECONNREFUSED",
    nextAttempt: expect.stringMatching(/^2027-/) as string,
  });
  expect(node.spec(ApiCertificates, "api")).toBeNull();
  expect(node.spec(SecurityStatus, "os")?.findings).toEqual(
    expect.arrayContaining([expect.objectContaining({ reason: "CertificateTroubled" })]),
  );
});

test("what was issued is served and trusted, and shows how far the signer's clock is ahead", async () => {
  const { node, status, ids } = await worker((wish, clock) =>
    issueFor(wish, { clock, ahead: seconds(25) }),
  );
  await using _node = node;
  expect(ids()).toEqual(["apid-server", "node-identity", "os-ca"]);
  expect(status()).toMatchObject({ state: "Valid", chain: "ok", peerSkew: "25s", lastError: "" });
  expect(status()?.why).toBe("the clock of who signed it is 25s ahead of this one");
  const held = node.spec(NodeCertificate, "node");
  expect(node.spec(ApiCertificates, "api")).toEqual({
    server: held?.serving,
    client: null,
    acceptedCAs: [{ crt: readCertificate(demoRoot().crt).pem }],
    skipVerifyingClientCert: false,
  });
  expect(node.files.talos).toHaveProperty("apid.crt", held?.serving?.crt);
});

test("one that is due and not renewed says what is in the way, to its end and beyond it", async () => {
  const { node, signer, status } = await worker((wish, clock) => issueFor(wish, { clock }));
  await using _node = node;
  signer.answer = silence;
  const renewals = [status(), status("node-identity")].map((each) => at(each?.renewAt ?? ""));
  await node.advance(Math.min(...renewals) - node.clock.now() - 1);
  await node.advance(minutes(2));
  const [due, identity] = [status(), status("node-identity")].sort((a, b) =>
    (a?.renewAt ?? "") < (b?.renewAt ?? "") ? -1 : 1,
  );
  expect(due).toMatchObject({ state: "RenewalDue" });
  expect(due?.why).toContain("ECONNREFUSED");
  expect(identity?.why).toContain("waits for trustd at 192.0.2.10 since 2027-");
  node.clock.stepTo(after(node.clock.now(), hours(24)));
  await node.settled();
  expect(status()).toMatchObject({ state: "Expired" });
  expect(status()?.why).toContain("ECONNREFUSED");
  signer.answer = (wish, clock) => issueFor(wish, { clock });
  await node.advance(minutes(2));
  expect(status()).toMatchObject({ state: "Valid", why: "" });
});

test("what is served stays when what the node keeps of it is lost", async () => {
  const { node, signer } = await worker((wish, clock) => issueFor(wish, { clock }));
  await using _node = node;
  signer.answer = silence;
  const api = node.spec(ApiCertificates, "api");
  expect(api).not.toBeNull();
  const owner = "secrets.NodeCertificateController";
  await node.update(NodeCertificate, "node", (held) => void (held.serving = null), { owner });
  expect(node.spec(NodeCertificate, "node")?.serving).toBeNull();
  expect(node.spec(ApiCertificates, "api")).toEqual(api);
});
