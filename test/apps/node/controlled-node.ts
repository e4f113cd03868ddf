/** ControlService of a node whose controllers are there, asked by the command line. */
import { writeTalosconfig } from "#config";
import { defaultInForce, type KeyedPem } from "#pki";
import { CertificateStatus, kinds, namespaces, RenewalRequest } from "#resources";
import { systemClock, systemRandom } from "#runtime";
import { registerKinds } from "#runtime/engine";
import { startApid } from "../../../src/apps/apid/index.ts";
import { clusterStore } from "../../../src/apps/node/cluster-store.ts";
import { followPolicy } from "../../../src/apps/node/policy.ts";
import { policyPort } from "../../../src/apps/node/policy-port.ts";
import { openDenials } from "../../../src/apps/node/denials.ts";
import { leafRenewal } from "../../../src/apps/node/leaf-renewal.ts";
import { openMembers } from "../../../src/apps/node/members.ts";
import { mountNode } from "../../controllers/control-plane.ts";
import { issueClient, issueRoot, issueServer, recordingLogger } from "../apid/running-node.ts";
import { bench } from "../cli/harness.ts";

/** The node's clock is its own, and stands still; apid and the command line live now. */
export async function controlled(
  time = { synced: true },
  {
    address = "127.0.0.1",
    root: given,
    controlPlanes = [],
  }: { address?: string; root?: KeyedPem; controlPlanes?: readonly string[] } = {},
) {
  let inForce = defaultInForce;
  const node = await mountNode({ time, policy: () => inForce() });
  const { store, clock } = node;
  await registerKinds(store, kinds, namespaces);
  const root = given ?? (await issueRoot());
  const server = await issueServer(root, { ipAddresses: [address] });
  const { log, line } = recordingLogger();
  const followed = await followPolicy({ store, log });
  inForce = followed.inForce;
  const cluster = clusterStore({ store, controlPlanes, apiAddress: address });
  const denials = await openDenials({ store, clock, log });
  const members = openMembers({
    cluster,
    store,
    clock,
    log,
    random: systemRandom,
    apiPort: () => apid.port,
  });
  const apid = await startApid({
    ...{ address, port: 0, store, kinds, clock: systemClock, log },
    material: { key: server.key, cert: server.crt, ca: [root.crt] },
    ports: {
      build: { sha: "", built: "" },
      applyConfiguration: () => Promise.reject(new Error("not here")),
      issueClientConfiguration: () => Promise.reject(new Error("not here")),
      renewLeaves: leafRenewal({ store, clock }),
      denials,
      policy: policyPort({ followed, store, cluster, clock }),
      ...members.ports,
    },
  });
  denials.enforceAt(apid);
  const cli = await bench(systemClock.now());
  const write = async (identity: KeyedPem, name: string) => {
    const context = {
      ...{ endpoints: [`${address}:${apid.port}`], nodes: [address], ca: root.crt },
      ...identity,
    };
    await cli.write(name, writeTalosconfig({ context: "c", contexts: { c: context } }));
  };
  const admin = await issueClient(root);
  await write(admin, "talosconfig");
  const run = (...argv: string[]) => cli.run(...argv, "--talosconfig", "talosconfig");
  const held = (id: string) => {
    const status = node.list(CertificateStatus).find(({ metadata }) => metadata.id === id);
    if (status === undefined) throw new Error(`there is no ${id}`);
    return status.spec;
  };
  /** Resolves when a renewal is asked for. */
  const asked = async (id: string) => {
    await store.watchFor(RenewalRequest, id, { types: ["created", "updated"] });
  };
  return {
    ...{ node, asked, root, admin, apid, cli, run, write, held, line, store, clock, members },
    async [Symbol.asyncDispose]() {
      denials.close();
      members.close();
      followed[Symbol.dispose]();
      await apid.close();
      await cli[Symbol.asyncDispose]();
      await node[Symbol.asyncDispose]();
    },
  };
}
