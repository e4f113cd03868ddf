/** A node that the command line can talk to: apid, with resources and answers that a test knows. */
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { loadMachineConfig, writeTalosconfig } from "#config";
import { CertificateStatus, MachineConfig } from "#resources";
import { silentLogger, systemClock, type SpecOf } from "#runtime";
import { Namespace, registerKinds, ResourceDefinition } from "#runtime/engine";
import { openMemoryStore, type Store } from "#runtime/store";
import { startApid, type Apid, type NodePorts } from "../../../src/apps/apid/index.ts";
import { issueClient, issueServer, type issueRoot } from "../apid/running-node.ts";

/** What each node says of its one certificate. */
export const status: SpecOf<typeof CertificateStatus> = {
  state: "Valid",
  why: "",
  subject: "CN = node-1",
  issuer: "O = talos",
  serialNumber: "0a",
  notBefore: "2030-01-01T00:00:00Z",
  notAfter: "2030-01-02T00:00:00Z",
  renewAt: "2030-01-01T12:00:00Z",
  nextAttempt: "",
  lastError: "",
  chain: "ok",
  keyAlgorithm: "Ed25519",
  signatureAlgorithm: "Ed25519",
  keyUsages: ["digitalSignature"],
  extKeyUsages: ["serverAuth"],
  dnsNames: ["node-1"],
  ipAddresses: ["127.0.0.1"],
  spkiFingerprint: "",
  source: "",
  peerSkew: "",
};

const kinds = [CertificateStatus, MachineConfig];

/** A configuration that reached a node. */
export interface Received {
  readonly data: string;
  readonly dryRun: boolean;
}

/** Starts a node; it has a warning about every configuration. */
export async function startNode(
  root: Awaited<ReturnType<typeof issueRoot>>,
  {
    address,
    id,
    received,
    port = 0,
    more = {},
  }: {
    address: string;
    id: string;
    received: Received[];
    port?: number;
    more?: Partial<NodePorts>;
  },
): Promise<{ apid: Apid; store: Store }> {
  const server = await issueServer(root, { ipAddresses: [address] });
  const store = openMemoryStore();
  const namespaces = { secrets: "", config: "" };
  await registerKinds(store, kinds, namespaces);
  await store.create(CertificateStatus, id, { ...status, ipAddresses: [address] });
  const apid = await startApid({
    address,
    port,
    material: { key: server.key, cert: server.crt, ca: [root.crt] },
    store,
    kinds: [...kinds, ResourceDefinition, Namespace],
    clock: systemClock,
    log: silentLogger,
    ports: {
      build: { sha: "0123abc", built: "2030-01-01T00:00:00Z" },
      applyConfiguration: async (request) => {
        if (request.data.startsWith("bad")) loadMachineConfig(request.data, "the configuration");
        received.push(request);
        return { warnings: ["machine.token is odd"], modeDetails: "Changed: machine.certSANs\n" };
      },
      issueClientConfiguration: async ({ roles, lifetime }) => {
        const identity = await issueClient(root, roles, { lifetime });
        const context = { endpoints: [], ca: root.crt, ...identity };
        const talosconfig = writeTalosconfig({ context: "new", contexts: { new: context } });
        return { ca: root.crt, ...identity, talosconfig };
      },
      ...more,
    },
  });
  return { apid, store };
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
