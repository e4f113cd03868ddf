/** Nodes of one cluster, each on a loopback address of its own and all on one port. */
import { leafProfiles, type KeyedPem } from "#pki";
import { CodedError, systemClock } from "#runtime";
import { openMemoryStore } from "#runtime/store";
import { startApid, type ApidOptions, type NodePorts } from "../../../src/apps/apid/index.ts";
import { connect, type Client } from "../../../src/apps/client/index.ts";
import {
  issueClient,
  issueLeaf,
  issueRoot,
  issueServer,
  Namespace,
  Note,
  recordingLogger,
  Secret,
} from "./running-node.ts";

/** What a node is to other nodes. */
export const issueImpersonator = (authority: KeyedPem) =>
  issueLeaf({ profile: leafProfiles.apidClient, authority, now: systemClock.now() });

/** Tells a node that refuses configurations why. */
export class RefusedError extends CodedError {
  readonly code = "ERR_REFUSED";
}

/** What a node answers; `applied` gets the configurations that it takes. */
export const portsOf = (address: string, applied: string[] = []): NodePorts => ({
  build: { sha: address, built: "" },
  applyConfiguration: async ({ data }) => {
    if (data.startsWith("refused")) throw new RefusedError(`refused by ${address}`);
    applied.push(data);
    return { warnings: [], modeDetails: address };
  },
  issueClientConfiguration: async () => ({ ca: "", crt: "", key: "", talosconfig: "" }),
});

/** One node: its version's `sha` is its address, and so is the id of its one note. */
export async function startNode(
  root: KeyedPem,
  {
    address,
    port = 0,
    isWorker = false,
    ...options
  }: { readonly address: string; readonly isWorker?: boolean } & Partial<ApidOptions>,
) {
  const { key, crt: cert } = await issueServer(root, { ipAddresses: [address] });
  const client = await issueImpersonator(root);
  const material = { key, cert, ca: [root.crt], ...(!isWorker && { client }) };
  const store = openMemoryStore();
  for (const name of ["meta", "test"]) await store.create(Namespace, name, { description: "" });
  await store.create(Note, address, { text: `of ${address}` });
  await store.create(Secret, address, { key: "" });
  const { log, lines, line } = recordingLogger();
  const applied: string[] = [];
  const ports = portsOf(address, applied);
  const apid = await startApid({
    ...{ address, port, material, store, kinds: [Namespace, Note, Secret], clock: systemClock },
    ...{ log, ports, ...options },
  });
  const close = async () => {
    await apid.close();
    await store.close();
  };
  return { address, apid, applied, close, lines, line, material, store };
}

export type ClusterNode = Awaited<ReturnType<typeof startNode>>;

/** Three nodes; the last may be stopped, and is stopped at the end if it was not. */
export async function startThree(options: Partial<ApidOptions> = {}) {
  const root = await issueRoot();
  const first = await startNode(root, { address: "127.0.0.2", ...options });
  const { port } = first.apid;
  const others = await Promise.all(
    ["127.0.0.3", "127.0.0.4"].map((address) => startNode(root, { address, port, ...options })),
  );
  const nodes = [first, ...others] as unknown as readonly [ClusterNode, ClusterNode, ClusterNode];
  const clients: Client[] = [];
  return {
    root,
    port,
    nodes,
    /** A client of the first node, with these roles. */
    async client(roles: readonly string[] = ["os:admin"], endpoint = "127.0.0.2"): Promise<Client> {
      const identity = await issueClient(root, roles);
      const made = connect({
        ...{ endpoints: [endpoint], port, ca: root.crt, ...identity },
        ...{ source: "the test", clock: systemClock },
      });
      clients.push(made);
      return made;
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.close();
      await Promise.all(nodes.map((node) => node.close()));
    },
  };
}

export type Three = Awaited<ReturnType<typeof startThree>>;
