/** When a node serves trustd, and what its board says meanwhile. */
import { createServer, type AddressInfo } from "node:net";
import { once } from "node:events";
import { MachineType, TimeStatus, TrustdCertificates } from "#resources";
import {
  at,
  ControllerStatus,
  manualClock,
  pointerTo,
  seconds,
  silentLogger,
  after,
} from "#runtime";
import { openMemoryStore } from "#runtime/store";
import { expect, test } from "vitest";
import type { OpenSigner } from "../../../src/apps/trustd/open-signer.ts";
import { keepTrustd } from "../../../src/apps/node/trustd.ts";
import { issueRoot } from "../apid/running-node.ts";
import { issueTrustd } from "../trustd/served.ts";

const START = at("2030-01-01");
const nobody = () => Promise.reject(new Error("nobody asks"));
const signer = {
  certificate: nobody,
  join: nobody,
  limits: { mayShakeHands: () => true },
} as unknown as OpenSigner;
const server = await issueTrustd(await issueRoot());

/** A keeper, what it says, and a way to wait until it says something. */
async function keep(port = 0) {
  const clock = manualClock(START);
  const store = openMemoryStore({ clock });
  const said: string[] = [];
  let look: () => void = () => undefined;
  let restart: () => Promise<string> = nobody;
  const keeper = keepTrustd({
    ...{ address: "127.0.0.1", port, store, signer, clock, log: silentLogger },
    services: {
      set(_id, state, message) {
        said.push(`${state}: ${message}`);
        look();
      },
      onRestart: (_id, how) => (restart = how),
    },
  });
  const says = async (pattern: RegExp) => {
    while (!pattern.test(said.at(-1) ?? ""))
      await new Promise<void>((resolve) => (look = () => resolve()));
    return said.at(-1) ?? "";
  };
  return {
    ...{ clock, store, said, says, restart: () => restart() },
    time: (synced: boolean) =>
      store.modify(TimeStatus, "node", (spec) => void (spec.synced = synced), {
        initial: { synced, epoch: 0, syncDisabled: false, source: "chrony" },
      }),
    type: (type: "controlplane" | "worker") =>
      store.modify(MachineType, "machine-type", (spec) => void (spec.type = type), {
        initial: { type },
      }),
    certificate: () => store.create(TrustdCertificates, "trustd", { acceptedCAs: [], server }),
    async [Symbol.asyncDispose]() {
      await keeper[Symbol.asyncDispose]();
      await store.close();
    },
  };
}

const RUNNING = /^Running: Listening on port \d+$/;

test("it starts when there is a certificate and the clock can be trusted, and says what it waits for", async () => {
  await using node = await keep();
  await node.says(/^Waiting: Waiting for its certificate$/);
  await node.store.create(ControllerStatus, "secrets.TrustdController", {
    ...{ state: "waiting", error: null, waitingFor: "CertSAN api" },
  } as never);
  await node.says(/^Waiting: CertSAN api$/);
  await node.type("controlplane");
  await node.certificate();
  await node.says(/^Waiting: Waiting for the clock: nothing is known of it yet$/);
  await node.time(false);
  await node.says(/^Waiting: Waiting for the clock: it is not synchronised, says chrony$/);
  await node.time(true);
  await node.says(RUNNING);
  await node.time(false); // what is served stays served
  await node.store.destroy(pointerTo(TrustdCertificates, "trustd"));
  await node.says(/^Waiting: /);
});

test("a restart keeps the port", async () => {
  await using node = await keep();
  await node.type("controlplane");
  await node.time(true);
  await node.certificate();
  const before = await node.says(RUNNING);
  expect(await node.restart()).toBe('Service "trustd" restarted');
  expect(node.said.slice(-3)).toEqual([before, "Stopping: Restarting by request", before]);
});

test("workers have none, and one that becomes a worker closes it", async () => {
  await using node = await keep();
  await node.type("worker");
  await node.says(/^Skipped: Only control planes sign for nodes$/);
  await node.type("controlplane");
  await node.time(true);
  await node.certificate();
  await node.says(RUNNING);
  await node.type("worker");
  await node.says(/^Skipped: /);
});

test("a port that is taken is told of, and tried again", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  await using node = await keep(port);
  await node.type("controlplane");
  await node.time(true);
  await node.certificate();
  await node.says(/^Failed: cannot listen on 127.0.0.1:\d+: the port is in use: .* --trustd-port$/);
  await new Promise((resolve) => other.close(resolve));
  node.clock.advanceTo(after(START, seconds(5)));
  await node.says(RUNNING);
});
