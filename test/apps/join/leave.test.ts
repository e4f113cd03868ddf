import { status } from "@grpc/grpc-js";
import { Endpoint, NodeCertificate, OSRoot } from "#resources";
import { manualClock, silentLogger } from "#runtime";
import { openMemoryStore, type Store } from "#runtime/store";
import { seededRandom } from "#runtime/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  CallFailureError,
  clusterLeave,
  type CallSigner,
  type SignerCall,
} from "../../../src/apps/join/index.ts";
import { START } from "../../controllers/control-plane.ts";
import { demoRoot, workerRoot } from "../../controllers/joining.ts";

const root = demoRoot();
const identity = { crt: root.crt, key: root.key }; // nobody reads it here
let store: Store;
let calls: SignerCall[];
beforeEach(async () => {
  store = openMemoryStore();
  calls = [];
  await store.create(OSRoot, "os", workerRoot([root]));
  await store.create(Endpoint, "controlplane", { addresses: ["192.0.2.1"], hosts: ["cp.test"] });
});
afterEach(() => store.close());

const holds = (held: Partial<{ identity: typeof identity | null }>) =>
  store.create(NodeCertificate, "node", {
    ...{ serving: null, identity, acceptedCAs: [], acceptedThen: [], machineType: "worker" },
    ...{ apiPort: 50_100, peerSkew: null, pending: null, ...held },
  });

const leaving = (answer: (host: string) => Promise<Uint8Array>) => {
  const callSigner: CallSigner = (call) => {
    calls.push(call);
    return answer(call.host);
  };
  const world = { clock: manualClock(START), random: seededRandom(1), log: silentLogger };
  return clusterLeave({ store, callSigner, ...world })();
};
const refused = (code: status, text: string) => () =>
  Promise.reject(new CallFailureError(code, text));
const taken = () => Promise.resolve(new Uint8Array());

test("a member says so once, by its identity, to whoever answers", async () => {
  await holds({});
  const silence = refused(status.UNAVAILABLE, "connect ECONNREFUSED");
  await leaving(() => (calls.length === 1 ? silence() : taken()));
  expect(new Set(calls.map(({ host }) => host))).toEqual(new Set(["192.0.2.1", "cp.test"]));
  for (const call of calls)
    expect(call).toMatchObject({ method: "Leave", identity, apiPort: 50_100 });
  expect(calls[0]?.acceptedCAs.map(({ pem }) => pem)).toEqual([root.crt]);
});

test("who is on no record tells nobody", async () => {
  await leaving(taken);
  await holds({ identity: null });
  await leaving(taken);
  expect(calls).toEqual([]);
});

test.each([
  [status.UNIMPLEMENTED, "unknown service"],
  [status.FAILED_PRECONDITION, "there is no cluster store"],
  [status.PERMISSION_DENIED, 'node "n" is no member of this cluster: it left'],
])("a cluster that has nobody on record has been left: %s", async (code, text) => {
  await holds({});
  await leaving(refused(code, text));
});

test("when nobody takes it, each is named with its reason", async () => {
  await holds({});
  const late = refused(status.UNAVAILABLE, "no answer within 10 s");
  const denied = refused(status.PERMISSION_DENIED, "not authorized");
  await expect(leaving((host) => (host === "cp.test" ? denied() : late()))).rejects.toMatchObject({
    code: "ERR_NOT_LEFT",
    message: expect.stringMatching(
      /(cp\.test: not authorized|192\.0\.2\.1: no answer.*)/,
    ) as string,
  });
  expect(calls).toHaveLength(2);
});

test("a member that knows no control plane cannot leave", async () => {
  await holds({});
  for (const { metadata } of await store.list(Endpoint)) await store.destroy(metadata);
  await expect(leaving(taken)).rejects.toThrow("no control plane is known");
});
