/** Which way a node gets its certificates, and what of the answers it believes: over a port in memory. */
import { status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import type { CertificateWish } from "#controllers";
import { type KeyedPem, readCertificate, readCsr, webCryptoKeys } from "#pki";
import { after, hours, type Logger, manualClock, minutes, seconds, silentLogger } from "#runtime";
import { seededRandom } from "#runtime/testing";
import {
  CallFailureError,
  certificateAsker,
  type CallSigner,
  type SignerCall,
} from "../../../src/apps/join/index.ts";
import {
  JoinRequest,
  JoinResponse,
  RenewNodeRequest,
} from "../../../src/apps/rpc/gen/node/node.ts";
import {
  CertificateRequest,
  CertificateResponse,
} from "../../../src/apps/rpc/gen/security/security.ts";
import { START } from "../../controllers/control-plane.ts";
import { demoRoot, issueFor, issueRequest, NODE_ID } from "../../controllers/joining.ts";
import { otherRoot } from "../../controllers/surroundings.ts";

const keys = webCryptoKeys();
const root = demoRoot();
const signing = async () => {
  const names = { commonName: "w", dnsNames: ["w"], ipAddresses: ["192.0.2.9"] };
  const [serving, identity] = await Promise.all([
    issueRequest({ algorithm: "Ed25519", ...names }),
    issueRequest({ algorithm: "Ed25519", commonName: NODE_ID }),
  ]);
  const request = {
    requestId: "0".repeat(32),
    since: "",
    servingKey: serving.key,
    servingCsr: serving.csr,
    identityKey: identity.key,
    identityCsr: identity.csr,
  };
  return { request, names };
};

const refusal = (code: status, text = "no") => new CallFailureError(code, text);
const silence = () => Promise.reject(refusal(status.UNAVAILABLE, "connect ECONNREFUSED"));

type Answers = Partial<Record<SignerCall["method"], (call: SignerCall) => Promise<Uint8Array>>>;

/** What a node asks for, of signers that answer as they are told by host, or all of them alike. */
async function asking(answers: Answers | ((host: string) => Answers)) {
  const clock = manualClock(START);
  const calls: string[] = [];
  const made: SignerCall[] = [];
  const problems: (string | null)[] = [];
  const warnings: string[] = [];
  const wish: CertificateWish = {
    ...(await signing()),
    nodeId: NODE_ID,
    token: "aaaaaa.bbbbbbbbbbbbbbbb",
    algorithm: "Ed25519",
    acceptedCAs: [readCertificate(root.crt)],
    endpoints: ["cp-1"],
    identity: null,
    apiPort: 0,
    now: START,
  };
  const answer = async (issuer = root, ahead = 0) => {
    const issued = await issueFor(wish, { root: issuer, clock, ahead });
    const bytes = (text = "") => Buffer.from(text);
    return {
      ca: bytes(issuer.crt),
      servingCrt: bytes(issued.serving?.crt),
      identityCrt: bytes(issued.identity?.crt),
      time: new Date(clock.now() + ahead),
      machineType: "worker",
      apiPort: 50_100,
    };
  };
  const callSigner: CallSigner = (call) => {
    calls.push(`${call.method} ${call.host}`);
    made.push(call);
    const told = typeof answers === "function" ? answers(call.host) : answers;
    return (told[call.method] ?? silence)(call);
  };
  const log: Logger = {
    ...silentLogger,
    warn: (fields) => void warnings.push(JSON.stringify(fields)),
  };
  const ask = certificateAsker({
    ...{ callSigner, keys, issueRequest, clock, log },
    random: seededRandom(1),
    onAttempt: (problem) => void problems.push(problem),
  });
  const stop = new AbortController();
  return {
    ...{ clock, calls, made, problems, warnings, wish, answer, stop },
    ask: (more: Partial<CertificateWish> = {}) => ask({ ...wish, ...more }, stop.signal),
  };
}

type Asked = Awaited<ReturnType<typeof asking>>;
type Issued = Awaited<ReturnType<Asked["answer"]>>;

const joined = async (t: Asked, change: Partial<Issued> = {}, issuer?: KeyedPem, ahead?: number) =>
  JoinResponse.encode({ issued: { ...(await t.answer(issuer, ahead)), ...change } }).finish();

/** Lets all that waits for the clock happen, until the call is over. */
async function over<T>(clock: Asked["clock"], call: Promise<T>): Promise<PromiseSettledResult<T>> {
  const results: PromiseSettledResult<T>[] = [];
  void Promise.allSettled([call]).then(([result]) => results.push(result));
  for (;;) {
    for (let turn = 0; turn < 20; turn++) await new Promise<void>((next) => setImmediate(next));
    const [result] = results;
    if (result !== undefined) return result;
    const next = clock.nextAlarm();
    if (next !== undefined) clock.advanceTo(next);
  }
}

const failure = async (t: Asked, more: Partial<CertificateWish> = {}): Promise<Error> => {
  const result = await over(t.clock, t.ask(more));
  if (result.status === "fulfilled") throw new Error("it was answered");
  return result.reason as Error;
};

/** What a node held before, from its first joining. */
const identityOf = async (t: Asked, from = t.clock): Promise<KeyedPem> => {
  const issued = await issueFor(t.wish, { clock: from });
  return issued.identity as KeyedPem;
};

test("who is no member joins with the token, and shows nothing else", async () => {
  const t: Asked = await asking({ Join: () => joined(t) });
  const answer = await t.ask();
  expect(t.calls).toEqual(["Join cp-1"]);
  expect(t.made[0]).toMatchObject({ token: "aaaaaa.bbbbbbbbbbbbbbbb", timeout: seconds(10) });
  expect(t.made[0]).not.toHaveProperty("identity");
  const request = JoinRequest.decode(t.made[0]?.request ?? Buffer.alloc(0));
  expect(request).toMatchObject({ nodeId: NODE_ID, formerCrt: Buffer.alloc(0) });
  expect(request.signing?.servingCsr.toString()).toBe(t.wish.request.servingCsr);
  expect(answer).toMatchObject({ machineType: "worker", apiPort: 50_100, peerSkew: 0 });
  expect(answer.serving?.key).toBe(t.wish.request.servingKey);
});

test("a member renews with its identity, and its token goes nowhere", async () => {
  const t: Asked = await asking({ Renew: () => joined(t) });
  const identity = await identityOf(t);
  await t.ask({ identity, apiPort: 50_200 });
  expect(t.calls).toEqual(["Renew cp-1"]);
  expect(t.made[0]).toMatchObject({ identity, apiPort: 50_200 });
  expect(t.made[0]).not.toHaveProperty("token");
  const { signing: sent } = RenewNodeRequest.decode(t.made[0]?.request ?? Buffer.alloc(0));
  expect(sent?.requestId).toBe(t.wish.request.requestId);
});

test("an identity that has ended is proof of who joins again", async () => {
  const t: Asked = await asking({ Join: () => joined(t) });
  const identity = await identityOf(t, manualClock(after(START, -hours(48))));
  await t.ask({ identity });
  expect(t.calls).toEqual(["Join cp-1"]);
  const request = JoinRequest.decode(t.made[0]?.request ?? Buffer.alloc(0));
  expect(request.formerCrt.toString()).toBe(identity.crt);
  expect(request.formerSignature).toHaveLength(64);
});

test.each([
  ["is not known", status.PERMISSION_DENIED],
  ["is not taken", status.UNAUTHENTICATED],
])("a member that %s joins again, as who it was", async (_, code) => {
  const t: Asked = await asking({
    Renew: () => Promise.reject(refusal(code)),
    Join: () => joined(t),
  });
  await t.ask({ identity: await identityOf(t) });
  expect(t.calls).toEqual(["Renew cp-1", "Join cp-1"]);
  expect(JoinRequest.decode(t.made[1]?.request ?? Buffer.alloc(0)).formerSignature).toHaveLength(
    64,
  );
});

test("one that cannot be reached to renew is passed over, and joins only when nobody could be", async () => {
  const up: Asked = await asking((host) => (host === "cp-2" ? { Renew: () => joined(up) } : {}));
  await up.ask({ identity: await identityOf(up), endpoints: ["cp-1", "cp-2"] });
  expect(up.calls.filter((call) => call.startsWith("Join"))).toEqual([]);

  const down: Asked = await asking({ Join: () => joined(down) });
  const result = await over(down.clock, down.ask({ identity: await identityOf(down) }));
  expect(result.status).toBe("fulfilled");
  expect(down.calls).toEqual(["Renew cp-1", "Renew cp-1", "Join cp-1"]);
});

test.each([
  ["Talos' own", status.UNIMPLEMENTED],
  ["one without a cluster store", status.FAILED_PRECONDITION],
])("trustd that is %s is asked as Talos' workers ask, with a new key", async (_, code) => {
  const plain = async ({ request }: SignerCall) => {
    const { csr } = CertificateRequest.decode(request);
    const issued = await issueFor(
      { ...t.wish, request: { ...t.wish.request, servingCsr: csr.toString() } },
      t,
    );
    const crt = Buffer.from(issued.serving?.crt ?? "");
    return CertificateResponse.encode({ ca: Buffer.from(root.crt), crt }).finish();
  };
  const t: Asked = await asking({
    Renew: () => Promise.reject(refusal(code)),
    Join: () => Promise.reject(refusal(code)),
    Certificate: plain,
  });
  const first = await t.ask();
  expect(t.calls).toEqual(["Join cp-1", "Certificate cp-1"]);
  expect(first).toMatchObject({ identity: null, machineType: "", apiPort: 0, peerSkew: null });
  expect(first.serving?.key).not.toBe(t.wish.request.servingKey);
  const again = await t.ask();
  expect(again.serving?.key).not.toBe(first.serving?.key);
});

test("all are asked in a round, then after 1, 2, 4 s and so on for a minute, each named with its reason", async () => {
  const t = await asking({});
  const { message } = await failure(t, { endpoints: ["cp-1", "cp-2"] });
  expect(message).toContain("cp-1: connect ECONNREFUSED");
  expect(message).toContain("cp-2: connect ECONNREFUSED");
  expect(t.calls).toHaveLength(2 * 6); // at 0, 1, 3, 7, 15 and 31 s
  expect(t.clock.now() - START).toBe(minutes(1));
  expect(t.problems.at(-1)).toContain("ECONNREFUSED");
});

test("a refused token ends that at once, says what to do, and is in no message or log", async () => {
  const t = await asking((host) => ({
    Join:
      host === "cp-1"
        ? silence
        : () => Promise.reject(refusal(status.UNAUTHENTICATED, "invalid token")),
  }));
  const error = await failure(t, { endpoints: ["cp-1", "cp-2"] });
  expect(error).toMatchObject({ code: "ERR_TOKEN_REFUSED" });
  expect(error.message).toContain("cp-2: invalid token");
  expect(error.message).toContain("trustplane token create");
  expect(error.message).not.toContain("ECONNREFUSED");
  expect(t.clock.now()).toBe(START);
  expect([...t.warnings, ...t.problems, error.message].join()).not.toContain("bbbbbbbb");
});

test("a member without a token hears why it is not renewed, too", async () => {
  const t = await asking({
    Renew: () => Promise.reject(refusal(status.PERMISSION_DENIED, "node x was removed")),
    Join: () => Promise.reject(refusal(status.UNAUTHENTICATED, "missing token")),
  });
  const error = await failure(t, { identity: await identityOf(t), token: "" });
  expect(error.message).toContain("node x was removed; by token: missing token");
});

test("who was removed is told so, though its identity is only hung up on", async () => {
  const denied = "this identity was denied: reset the node";
  const t = await asking({ Join: () => Promise.reject(refusal(status.PERMISSION_DENIED, denied)) });
  const error = await failure(t, { identity: await identityOf(t) });
  expect(error).toMatchObject({ code: "ERR_JOIN_REFUSED", message: `cp-1: ${denied}` });
  expect(t.clock.now() - START).toBeLessThan(seconds(2));
});

test("who has a token that is spent is told where to put another one", async () => {
  const spent = 'refused by the rule "token": token: abcdef is spent; ask for another one';
  const t = await asking({ Join: () => Promise.reject(refusal(status.PERMISSION_DENIED, spent)) });
  const error = await failure(t);
  expect(error).toMatchObject({ code: "ERR_TOKEN_REFUSED" });
  expect(error.message).toContain("put a token that is good into machine.token");
});

test("reasons are in the order of the hosts, whoever was asked first", async () => {
  const t = await asking({});
  const { message } = await failure(t, { endpoints: ["cp-3", "cp-2", "cp-1", "cp-4"] });
  expect(message.match(/cp-\d/g)).toEqual(["cp-1", "cp-2", "cp-3", "cp-4"]);
});

test("what a signer says is cut, and has no line of its own", async () => {
  const words = `names\u0000\u001b[2J\nrefused ${"x".repeat(10_000)}`;
  const t = await asking({ Join: () => Promise.reject(refusal(status.PERMISSION_DENIED, words)) });
  const { message, ...rest } = await failure(t);
  expect(rest).toMatchObject({ code: "ERR_JOIN_REFUSED" });
  expect(message).toMatch(/^cp-1: names \[2J refused x/);
  expect(message.length).toBeLessThan(600);
});

test("who is told to stop stops, also in a pause", async () => {
  const t = await asking({});
  const call = t.ask();
  call.catch(() => undefined);
  for (let turn = 0; turn < 20; turn++) await new Promise<void>((next) => setImmediate(next));
  t.stop.abort(new Error("the node ends"));
  await expect(call).rejects.toThrow("the node ends");
});

test("the clock of who signs is measured by what it says, or by the beginning of its certificate", async () => {
  const t: Asked = await asking({ Join: () => joined(t, {}, root, seconds(90)) });
  expect((await t.ask()).peerSkew).toBe(seconds(90));
  const late: Asked = await asking({
    Join: async () => {
      late.clock.advanceTo(after(START, seconds(4))); // it took so long
      return joined(late, { time: new Date(START + seconds(2)) });
    },
  });
  expect((await late.ask()).peerSkew).toBe(0);
});

const other = await otherRoot("os");
const stranger = await signing();

test.each<[string, string, (t: Asked) => Promise<Uint8Array>]>([
  ["nothing", "empty", async () => Buffer.alloc(0)],
  ["no message", "no message of its kind", async () => Buffer.from([0xff, 0xff, 0xff])],
  ["no certificate", "cannot be read", (t) => joined(t, { servingCrt: Buffer.from("nothing") })],
  ["no authority", "no authority", (t) => joined(t, { ca: Buffer.alloc(0) })],
  [
    "another key",
    "another key",
    async (t) =>
      joined(t, {
        servingCrt: Buffer.from(
          (await issueFor({ ...t.wish, request: stranger.request }, t)).serving?.crt ?? "",
        ),
      }),
  ],
  [
    "an authority that is not accepted",
    "signed by unknown authority",
    (t) => joined(t, { ca: Buffer.from(root.crt) }, other),
  ],
  [
    "the identity of another node",
    "not this node's",
    async (t) => {
      const issued = await issueFor({ ...t.wish, nodeId: "z".repeat(44) }, t);
      return joined(t, { identityCrt: Buffer.from(issued.identity?.crt ?? "") });
    },
  ],
])("%s is no answer", async (_, words, respond) => {
  const t: Asked = await asking({ Join: () => respond(t) });
  expect((await failure(t)).message).toContain(words);
});

test("a client's certificate is none to serve", async () => {
  const t: Asked = await asking({
    Join: async () => joined(t, { servingCrt: (await t.answer()).identityCrt }),
  });
  const { request } = t.wish;
  const { message } = await failure(t, {
    request: { ...request, servingKey: request.identityKey },
  });
  expect(message).toContain("is for clientAuth, not for serverAuth");
});

test("other names than were asked for are no answer", async () => {
  const t: Asked = await asking({ Join: () => joined(t) });
  const { message } = await failure(t, {
    names: { commonName: "w", dnsNames: ["w", "v"], ipAddresses: [] },
  });
  expect(message).toContain("other names");
  expect((await readCsr(t.wish.request.servingCsr)).dnsNames).toEqual(["w"]);
});
