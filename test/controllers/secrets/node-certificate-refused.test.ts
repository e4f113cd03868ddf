/** What a worker does about names, requests and answers that do not go through. */
import { readCertificate, readCsr } from "#pki";
import { CertSAN, NodeCertificate, OSRoot, TimeStatus } from "#resources";
import { after, CodedError, ControllerStatus, hours, minutes, seconds } from "#runtime";
import { expect, test } from "vitest";
import { type CertificateAnswer, type CertificateWish, JoinRefusedError } from "#controllers";
import { issueFor, mountWorker } from "../joining.ts";
import { otherRoot, time } from "../surroundings.ts";

type Worker = Awaited<ReturnType<typeof mountWorker>>;

const serving = ({ held }: Worker) => readCertificate(held()?.serving?.crt ?? "");
const status = ({ t }: Worker) => t.spec(ControllerStatus, "secrets.NodeCertificateController");

/** Refuses one name, as a signer does that has it on record as another's. */
const refusing =
  (worker: Worker, name: string) =>
  (wish: CertificateWish): Promise<CertificateAnswer> =>
    wish.names.dnsNames.includes(name)
      ? Promise.reject(new JoinRefusedError(`cp.test: ${name} is another's`))
      : issueFor(wish, worker.t);

test("names that are refused are told of, and what is held is renewed under those that it has", async () => {
  const worker = await mountWorker();
  await using t = worker.t;
  worker.signer.answer = refusing(worker, "extra");
  await t.update(CertSAN, "api", (draft) => void draft.dnsNames.push("extra"));
  const asked = worker.wishes.filter(({ names }) => !names.dnsNames.includes("extra"));
  expect(asked).toHaveLength(1);
  expect(status(worker)?.error).toMatchObject({ code: "ERR_NAMES_REFUSED" });
  expect(status(worker)?.error?.message).toMatch(
    /^new names refused: cp\.test: extra is another's/,
  );
  await t.create(TimeStatus, "node", time(true));
  for (let renewal = 0; renewal < 3; renewal++) {
    t.clock.stepTo(after(serving(worker).notAfter, -hours(5)));
    await t.update(TimeStatus, "node", (draft) => void (draft.epoch += 1));
    await t.advance(seconds(5));
    expect(serving(worker).notAfter).toBeGreaterThan(t.clock.now() + hours(20));
  }
  expect(serving(worker).dnsNames).toEqual(["worker-1"]);
  expect(status(worker)?.error?.code).toBe("ERR_NAMES_REFUSED");
  const old = worker.wishes.filter(({ names }) => !names.dnsNames.includes("extra"));
  expect(old).toHaveLength(4);
  expect((await readCsr(old.at(-1)?.request.servingCsr ?? "")).dnsNames).toEqual(["worker-1"]);

  worker.signer.answer = (wish) => issueFor(wish, t); // they are nobody's any more
  await t.advance(minutes(2));
  expect(serving(worker).dnsNames).toEqual(["worker-1", "extra"]);
  expect(status(worker)?.error).toBeNull();
});

test("an authority that the configuration accepts anew is followed under the names that are held", async () => {
  const worker = await mountWorker();
  await using t = worker.t;
  worker.signer.answer = refusing(worker, "extra");
  await t.update(CertSAN, "api", (draft) => void draft.dnsNames.push("extra"));
  const other = await otherRoot("os");
  await t.update(OSRoot, "os", (draft) => void draft.acceptedCAs.push({ crt: other.crt }));
  await t.advance(minutes(2));
  expect(worker.held()?.acceptedThen).toHaveLength(2);
  expect(serving(worker).dnsNames).toEqual(["worker-1"]);
});

test("an answer that could not be stored is asked for again, and is no fault of the clock", async () => {
  const worker = await mountWorker();
  await using t = worker.t;
  class Full extends CodedError {
    readonly code = "ERR_STORE_FULL";
  }
  const { core } = t.store;
  const commit = core.commit.bind(core);
  let isFull = true;
  core.commit = (writes, ...more) => {
    const isAnswer = JSON.stringify(writes).includes(`"pending":null`);
    if (!isFull || !isAnswer) return commit(writes, ...more);
    isFull = false;
    return Promise.reject(new Full("the disk is full"));
  };
  const problems = new Set<string | undefined>();
  while (worker.wishes.length < 3) {
    await t.advance(seconds(30));
    problems.add(status(worker)?.error?.code);
  }
  await t.advance(seconds(30));
  problems.add(status(worker)?.error?.code);
  expect(isFull).toBe(false);
  expect(problems).not.toContain("ERR_ANSWER_UNFIT");
  const [, first, again] = worker.wishes;
  expect(again?.request).toEqual(first?.request);
});

test("certificates that live for a minute do not end for want of being asked for", async () => {
  const worker = await mountWorker();
  await using t = worker.t;
  worker.signer.answer = (wish) => issueFor(wish, { clock: t.clock, lifetime: minutes(1) });
  t.clock.stepTo(after(serving(worker).notAfter, -minutes(5)));
  await t.advance(seconds(5));
  for (let step = 0; step < 36; step++) {
    await t.advance(seconds(5));
    expect(serving(worker).notAfter).toBeGreaterThan(t.clock.now());
  }
});

test("a request that says something else than what is wanted is not made over and over", async () => {
  const worker = await mountWorker();
  await using t = worker.t;
  const many = Array.from(
    { length: 2500 },
    (_, index) => `a-rather-long-name-${index}.example.com`,
  );
  await t.update(CertSAN, "api", (draft) => void (draft.dnsNames = many));
  expect(status(worker)?.error?.code).toBe("ERR_REQUEST_UNFIT");
  expect(t.spec(NodeCertificate, "node")?.pending).toBeNull();
  expect(worker.wishes).toHaveLength(1);
});
