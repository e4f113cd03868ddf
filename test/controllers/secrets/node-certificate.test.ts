import { readCertificate, readCsr, renewAt, serialHex } from "#pki";
import {
  CertSAN,
  Endpoint,
  MachineType,
  NodeCertificate,
  OSRoot,
  RenewalRequest,
  TimeStatus,
} from "#resources";
import { CodedError, ControllerStatus, days, hours, minutes, seconds } from "#runtime";
import { expect, test } from "vitest";
import { START } from "../control-plane.ts";
import { demoRoot, issueFor, mountWorker, NODE_ID, workerRoot } from "../joining.ts";
import { otherRoot, time } from "../surroundings.ts";

type Worker = Awaited<ReturnType<typeof mountWorker>>;

class TokenGone extends CodedError {
  readonly code = "ERR_TOKEN_REFUSED";
}

const serving = ({ held }: Worker) => readCertificate(held()?.serving?.crt ?? "");
const identity = ({ held }: Worker) => readCertificate(held()?.identity?.crt ?? "");
const status = ({ t }: Worker) => t.spec(ControllerStatus, "secrets.NodeCertificateController");
const dueAt = (worker: Worker) => {
  const root = readCertificate(demoRoot().crt);
  return Math.min(
    ...[serving(worker), identity(worker)].map((leaf) => Number(renewAt(leaf, root))),
  );
};
const unreachable = () => Promise.reject(new Error("nobody answers"));

test("a worker asks once for its names, by its id, and holds what was issued for its keys", async () => {
  const worker = await mountWorker();
  await using _t = worker.t;
  expect(worker.wishes).toHaveLength(1);
  expect(worker.wishes[0]).toMatchObject({
    nodeId: NODE_ID,
    token: "aaaaaa.bbbbbbbbbbbbbbbb",
    endpoints: ["192.0.2.1", "cp.test"],
    identity: null,
  });
  expect(worker.wishes[0]?.request.requestId).toMatch(/^[0-9a-f]{32}$/);
  expect(serving(worker).dnsNames).toEqual(["worker-1"]);
  expect(serving(worker).ipAddresses).toEqual(["127.0.0.1", "192.0.2.9"]);
  expect(worker.held()?.pending).toBeNull();
});

test("a control plane asks nobody", async () => {
  const worker = await mountWorker();
  await using t = worker.t;
  await t.update(MachineType, "machine-type", (draft) => void (draft.type = "controlplane"));
  expect(worker.held()).toBeNull();
  expect(worker.wishes).toHaveLength(1);
});

test("both are renewed together, with new keys, when the first of them is due and not before", async () => {
  const worker = await mountWorker();
  await using t = worker.t;
  const first = worker.held();
  const due = dueAt(worker);
  expect((due - START) / hours(1)).toBeGreaterThan(9);
  expect((due - START) / hours(1)).toBeLessThan(18.1);
  await t.advance(due - START - 1);
  expect(worker.held()).toBe(first);
  await t.advance(1);
  expect(worker.wishes).toHaveLength(2);
  expect(worker.wishes[1]?.identity).toEqual(first?.identity);
  for (const each of ["serving", "identity"] as const)
    expect(worker.held()?.[each]?.key).not.toBe(first?.[each]?.key);
});

test("days go by without a gap, and with one to three renewals in each", async () => {
  const worker = await mountWorker();
  await using t = worker.t;
  for (let day = 0; day < 8; day++) {
    await t.advance(days(1));
    expect(serving(worker).notAfter).toBeGreaterThan(t.clock.now() + hours(5));
  }
  expect(worker.wishes.length).toBeGreaterThan(8);
  expect(worker.wishes.length).toBeLessThan(24);
});

test("a request that was not answered is sent again as it is, also by the next process", async () => {
  const worker = await mountWorker([demoRoot()], { without: [Endpoint] });
  await using t = worker.t;
  expect(status(worker)?.error?.message).toContain("no control plane is known");
  expect(worker.held()?.serving).toBeNull();
  worker.signer.answer = unreachable;
  await t.create(Endpoint, "controlplane", { addresses: ["192.0.2.1"], hosts: [] });
  await t.advance(minutes(5));
  expect(worker.wishes.length).toBeGreaterThan(4);
  expect(new Set(worker.wishes.map(({ request }) => request.requestId)).size).toBe(1);
  expect(new Set(worker.wishes.map(({ request }) => request.servingCsr)).size).toBe(1);

  const pending = t.spec(NodeCertificate, "node");
  const next = await mountWorker([demoRoot()], { without: [Endpoint] });
  await using t2 = next.t;
  await t2.update(NodeCertificate, "node", () => pending as never, {
    owner: "secrets.NodeCertificateController",
  });
  await t2.create(Endpoint, "controlplane", { addresses: ["192.0.2.1"], hosts: [] });
  expect(next.wishes.map(({ request }) => request)).toEqual([pending?.pending]);
  expect(next.held()?.serving?.key).toBe(pending?.pending?.servingKey);
});

test("when names change before the answer, another request is made for the same identity key", async () => {
  const worker = await mountWorker([demoRoot()], { without: [Endpoint] });
  await using t = worker.t;
  worker.signer.answer = unreachable;
  await t.create(Endpoint, "controlplane", { addresses: ["192.0.2.1"], hosts: [] });
  const first = worker.held()?.pending;
  await t.update(CertSAN, "api", (draft) => void (draft.dnsNames = ["worker-9"]));
  await t.advance(minutes(5));
  const second = worker.held()?.pending;
  expect(second?.requestId).not.toBe(first?.requestId);
  expect(second?.servingKey).not.toBe(first?.servingKey);
  expect(second?.identityKey).toBe(first?.identityKey);
});

test("what is held stays through an outage and beyond its end, and then the node joins again", async () => {
  const worker = await mountWorker();
  await using t = worker.t;
  const first = worker.held();
  await t.advance(dueAt(worker) - START - 1);
  worker.signer.answer = unreachable;
  await t.advance(hours(15));
  expect(worker.held()).toMatchObject({ serving: first?.serving, identity: first?.identity });
  expect(serving(worker).notAfter).toBeLessThan(t.clock.now());
  expect(status(worker)).toMatchObject({ state: "failing", error: { message: "nobody answers" } });
  worker.signer.answer = (wish) => issueFor(wish, t);
  await t.advance(minutes(2));
  expect(serving(worker).notAfter).toBeGreaterThan(t.clock.now() + hours(20));
  expect(worker.wishes.at(-1)?.identity).toEqual(first?.identity);
});

test("a token that is gone is told of with its code, and tried again once a minute or so", async () => {
  const worker = await mountWorker();
  await using t = worker.t;
  worker.signer.answer = () => Promise.reject(new TokenGone("put another one in"));
  await t.advance(dueAt(worker) - START + minutes(10));
  expect(status(worker)?.error).toEqual({
    code: "ERR_TOKEN_REFUSED",
    message: "put another one in",
  });
  const asked = worker.wishes.length;
  await t.advance(minutes(30));
  expect(worker.wishes.length - asked).toBeLessThan(40);
  worker.signer.answer = (wish) => issueFor(wish, t);
  await t.update(OSRoot, "os", (draft) => void (draft.token = "cccccc.dddddddddddddddd"));
  expect(worker.wishes.at(-1)?.token).toBe("cccccc.dddddddddddddddd");
  expect(serving(worker).notAfter).toBeGreaterThan(t.clock.now());
});

test("a clock that is set forward and back again changes nothing that is held", async () => {
  const worker = await mountWorker();
  await using t = worker.t;
  const first = worker.held();
  worker.signer.answer = unreachable; // its certificate has ended, by a clock that is so wrong
  t.clock.stepTo((START + days(3)) as typeof START);
  await t.settled();
  expect(worker.held()?.pending).not.toBeNull();
  expect(worker.held()?.serving).toEqual(first?.serving);
  t.clock.stepTo((START + minutes(1)) as typeof START);
  await t.create(TimeStatus, "node", { ...time(true), epoch: 2 });
  expect(worker.held()).toEqual(first);
});

test.each([
  ["behind", -hours(30)],
  ["ahead", hours(30)],
])("with a clock that is %s, one answer does, and it is renewed in time", async (_, off) => {
  const worker = await mountWorker();
  await using t = worker.t;
  t.clock.stepTo((START + off) as typeof START);
  worker.signer.answer = (wish) => issueFor(wish, { clock: t.clock, ahead: -off });
  await t.create(TimeStatus, "node", { ...time(true), epoch: 2 });
  const asked = worker.wishes.length;
  expect(asked).toBe(2);
  await t.advance(hours(9));
  expect(worker.wishes).toHaveLength(asked);
  await t.advance(hours(10));
  expect(worker.wishes.length).toBe(asked + 1);
});

test("other names are asked for at once, and a request with old names is dropped", async () => {
  const worker = await mountWorker();
  await using t = worker.t;
  worker.signer.answer = unreachable;
  await t.update(CertSAN, "api", (draft) => void draft.dnsNames.push("worker-1.example.test"));
  expect(worker.wishes).toHaveLength(2);
  await t.update(CertSAN, "api", (draft) => {
    draft.dnsNames = ["worker-2"];
    draft.fqdn = "worker-2";
  });
  worker.signer.answer = (wish) => issueFor(wish, t);
  await t.advance(seconds(5));
  const [, second, last] = worker.wishes;
  const dnsNames = async (wish = last) => (await readCsr(wish?.request.servingCsr ?? "")).dnsNames;
  expect(await dnsNames(second)).toEqual(["worker-1", "worker-1.example.test"]);
  expect(await dnsNames(worker.wishes.at(-1))).toEqual(["worker-2"]);
  expect(serving(worker).dnsNames).toEqual(["worker-2"]);
});

test("an endpoint that comes or goes disturbs nobody who has a certificate", async () => {
  const worker = await mountWorker();
  await using t = worker.t;
  const first = worker.held();
  await t.create(Endpoint, "discovery", { addresses: ["192.0.2.2"], hosts: [] });
  await t.destroy(Endpoint, "controlplane");
  expect(worker.held()).toBe(first);
  expect(worker.wishes).toHaveLength(1);
});

test("an authority that the configuration accepts anew is a reason to ask, and decides the key", async () => {
  const worker = await mountWorker();
  await using t = worker.t;
  const other = await otherRoot("kubernetes"); // of another algorithm
  worker.signer.answer = (wish) => issueFor(wish, { clock: t.clock, root: other });
  await t.update(OSRoot, "os", (draft) => void draft.acceptedCAs.push({ crt: other.crt }));
  expect(worker.wishes).toHaveLength(2);
  expect(serving(worker).publicKey.algorithm).toBe("P-256");
  expect(identity(worker).publicKey.algorithm).toBe("P-256");
  await t.update(OSRoot, "os", (draft) => void draft.acceptedCAs.shift());
  expect(worker.wishes).toHaveLength(3);
  expect(worker.wishes[2]?.acceptedCAs.map(({ pem }) => pem)).toEqual([other.crt]);
});

test("an authority that only signers name is believed until the configuration has dropped it", async () => {
  const worker = await mountWorker();
  await using t = worker.t;
  const [told, next] = [await otherRoot("os"), await otherRoot("os")];
  worker.signer.answer = async (wish) => ({
    ...(await issueFor(wish, t)),
    acceptedCAs: [{ crt: demoRoot().crt }, { crt: told.crt }],
  });
  await t.update(CertSAN, "api", (draft) => void draft.dnsNames.push("worker-9"));
  const trusted = () => worker.wishes.at(-1)?.acceptedCAs.map(({ pem }) => pem);
  await t.advance(days(1));
  expect(trusted()).toEqual([demoRoot().crt, told.crt].map(canonical));
  worker.signer.answer = unreachable;
  await t.update(OSRoot, "os", (draft) => void (draft.acceptedCAs = [{ crt: next.crt }]));
  expect(trusted()).toEqual([next.crt, told.crt].map(canonical));
});

const canonical = (pem: string) => readCertificate(pem).pem;

test("without an authority nobody is asked", async () => {
  const worker = await mountWorker([]);
  await using _t = worker.t;
  expect(worker.wishes).toHaveLength(0);
  expect(status(worker)?.error?.code).toBe("ERR_AUTHORITY_UNKNOWN");
});

test.each(["apid-server", "node-identity"])(
  "%s is renewed when somebody asks for it",
  async (id) => {
    const worker = await mountWorker();
    await using t = worker.t;
    const leaf = id === "apid-server" ? serving(worker) : identity(worker);
    const serialNumber = serialHex(leaf.serialNumber);
    await t.create(RenewalRequest, id, { serialNumber, newKey: false, since: "" });
    expect(worker.wishes).toHaveLength(2);
    expect(serving(worker).serialNumber).not.toBe(leaf.serialNumber);
  },
);

test("a signer that keeps nobody on record is asked again for the serving one alone", async () => {
  const worker = await mountWorker();
  await using t = worker.t;
  const first = worker.held();
  worker.signer.answer = async (wish) => ({
    ...(await issueFor(wish, t)),
    identity: wish.identity,
    machineType: "",
  });
  await t.advance(days(3));
  expect(worker.held()?.identity).toEqual(first?.identity);
  expect(serving(worker).notAfter).toBeGreaterThan(t.clock.now());
  expect(worker.wishes.length).toBeLessThan(10);
});

test("a signer whose answers do not do is not asked all the time", async () => {
  const worker = await mountWorker();
  await using t = worker.t;
  worker.signer.answer = (wish) => issueFor(wish, { clock: { now: () => START } }); // it stands still
  t.clock.stepTo((START + hours(18.5)) as typeof START);
  await t.settled();
  const asked = worker.wishes.length;
  await t.advance(minutes(30));
  expect(worker.wishes.length - asked).toBeLessThan(32);
  expect(status(worker)?.error?.code).toBe("ERR_ANSWER_UNFIT");
});

test("without a token a member is renewed all the same", async () => {
  const worker = await mountWorker();
  await using t = worker.t;
  await t.update(OSRoot, "os", () => workerRoot([demoRoot()], "") as never);
  await t.advance(days(2));
  expect(serving(worker).notAfter).toBeGreaterThan(t.clock.now());
});
