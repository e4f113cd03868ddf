/** What runs on the nodes of a simulated cluster that nodes join: the daemon's own controllers and signer. */
import { status } from "@grpc/grpc-js";
import { type KeyProvider, type PrivateKey, requestIssuer } from "#pki";
import { ACTIVE, Identity, MachineConfig } from "#resources";
import type { Controller, Instant } from "#runtime";
import type { Machine, Operator, Scenario } from "#runtime/simulation";
import { certificateAsker } from "../../join/index.ts";
import { CallFailureError } from "../../join/errors.ts";
import type { CallSigner } from "../../join/port.ts";
import { applyConfiguration } from "../../node/apply-configuration.ts";
import { nodeControllers } from "../../node/controllers.ts";
import { known, prepareStore } from "../../node/state-directory.ts";
import { trustdStatuses } from "../../trustd/errors.ts";
import { openSigner } from "../../trustd/open-signer.ts";
import { keeperSays, keysOf, publisher, surroundings } from "../node.ts";
import { callControlPlane, SimulatedRefusalError } from "./calling.ts";
import {
  addressOf,
  configOf,
  CONTROL_PLANE,
  idOf,
  joinToken,
  machineToken,
  secretsOf,
  STRANGER,
} from "./cluster.ts";
import { followsPolicy } from "./operator.ts";
import { firstToken } from "./plan.ts";
import { sha256, tell } from "./record.ts";
import { serveNodes } from "./service.ts";

/** What of a scenario makes its nodes those of a cluster that these workers join. */
export const machinesOf = (
  workers: readonly string[],
  rootsIssued: Instant,
): Pick<Scenario, "controllers" | "kinds" | "setup" | "boot"> => ({
  kinds: known,
  controllers: (machine) => (machine.name === STRANGER ? [] : controllersOf(machine)),
  async setup(operator) {
    const { name, store } = operator;
    if (name === STRANGER) return;
    if (!(await store.get(Identity, "local")))
      await store.create(Identity, "local", { nodeId: idOf(operator, name) });
    if (await store.get(MachineConfig, ACTIVE)) return; // it was there before the node went down
    const token = tokenAtFirst(operator, workers);
    if (name === CONTROL_PLANE) {
      tell(operator, { what: "machine token proposed", hash: sha256(token) });
      tell(operator, { what: "machine token in force", hash: sha256(token) });
    }
    const text = configOf(name, await secretsOf(operator, rootsIssued), token);
    await applyConfiguration(text, { ...surroundings(operator), dryRun: false });
  },
  async boot(operator) {
    if (operator.name === STRANGER) return;
    await prepareStore(operator.store);
    if (operator.name === CONTROL_PLANE) await serve(operator);
  },
});

function tokenAtFirst(operator: Operator, workers: readonly string[]): string {
  const name = firstToken(workers, operator.name);
  return name === undefined ? machineToken(operator, 0) : joinToken(operator, name);
}

const controllersOf = (machine: Machine): readonly Controller[] =>
  nodeControllers({
    keys: keysOf(machine),
    random: machine.random,
    clock: machine.clock,
    apiAddress: addressOf(machine.name),
    hostname: machine.name,
    interfaceAddresses: () => [addressOf(machine.name)],
    askTime: async () => keeperSays(machine),
    askCertificate: certificateAsker({
      callSigner: callsOver(machine),
      keys: keysOf(machine),
      issueRequest: requestIssuer({ keys: keysOf(machine) }),
      clock: machine.clock,
      random: machine.random,
      log: machine.log,
    }),
    publishFiles: publisher(machine),
  });

/** Calls of a worker, over the simulated network. */
const callsOver =
  (machine: Machine): CallSigner =>
  async ({ method, ...call }) => {
    if (method === "Leave" || method === "Report")
      throw new CallFailureError(status.UNIMPLEMENTED, `nobody is asked to ${method} here`);
    try {
      return await callControlPlane(machine, { ...call, method });
    } catch (error) {
      if (!(error instanceof SimulatedRefusalError)) throw error;
      throw new CallFailureError(error.status, error.message, { cause: error });
    }
  };

async function serve(operator: Operator): Promise<void> {
  const policy = await followsPolicy(operator);
  const signer = await openSigner({
    store: operator.store,
    clock: operator.clock,
    random: operator.random,
    keys: slowly(keysOf(operator), operator),
    log: operator.log,
    record: async () => undefined,
    apiPort: () => 50_000,
    policy: policy.inForce,
  });
  serveNodes(operator, { signer, statuses: trustdStatuses });
}

/** Milliseconds that a device takes for a signature at most. */
const DEVICE = 40;

/** Keys in a device that takes its time: while it signs for one node, others are answered. */
function slowly(keys: KeyProvider, { takes, stream }: Operator): KeyProvider {
  const chance = stream("device that signs");
  const slow = (key: PrivateKey): PrivateKey => ({
    ...key,
    async sign(data, algorithm) {
      await takes(1 + chance.below(DEVICE));
      return key.sign(data, algorithm);
    },
  });
  return {
    issueKey: async (algorithm) => slow(await keys.issueKey(algorithm)),
    readKey: async (pem, source) => slow(await keys.readKey(pem, source)),
  };
}
