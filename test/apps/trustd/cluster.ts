/** A signer in memory, the cluster that it signs for, and nodes that ask it. */
import {
  authorityPem,
  authorityProfiles,
  buildName,
  issueAuthority,
  issueCsr,
  type KeyAlgorithm,
  type KeyProvider,
  type PolicyInForce,
  type PrivateKey,
  readCertificate,
  webCryptoKeys,
} from "#pki";
import { JoinToken, MachineToken, Member, OSRoot } from "#resources";
import {
  at,
  manualClock,
  rfc3339,
  silentLogger,
  systemRandom,
  type DeepReadonly,
  type Logger,
  type SpecOf,
} from "#runtime";
import { openMemoryStore, type Store } from "#runtime/store";
import { NoClusterStoreError, type ClusterStore } from "../../../src/apps/node/cluster-store.ts";
import { tokenHash } from "../../../src/apps/trustd/token-state.ts";
import { openSigner, type OpenSigner } from "../../../src/apps/trustd/open-signer.ts";
import { proofOf } from "../../../src/apps/trustd/proof.ts";
import type { AuditEntry } from "../../../src/apps/audit/index.ts";
import type { JoinRequest, SigningRequest } from "../../../src/apps/rpc/gen/node/node.ts";

export const START = at("2030-03-01T12:00:00Z");
export const MACHINE_TOKEN = "mach1n.0123456789abcdef";
export const PEER = "10.0.0.7:40000";
export const ID = {
  controlPlane: "c".repeat(44),
  worker: "w".repeat(44),
  other: "o".repeat(44),
};

export const keys: KeyProvider = webCryptoKeys();
const algorithm: KeyAlgorithm = "P-256";

type Token = DeepReadonly<SpecOf<typeof JoinToken>>;

const authority = await issueAuthority(
  { ...authorityProfiles.os, keyAlgorithm: algorithm },
  { keys, random: systemRandom, now: at("2030-01-01") },
);
/** Of the cluster. */
export const root = await authorityPem(authority);
/** Accepted as well. */
export const formerRoot = await authorityPem(
  await issueAuthority(authorityProfiles.os, { keys, random: systemRandom, now: at("2029-01-01") }),
);
/** Of nodes; one is enough where it does not matter whose it is. */
export const key: PrivateKey = await keys.issueKey(algorithm);

interface Options {
  readonly store?: Store;
  readonly strictJoin?: boolean;
  readonly whyNoClusterStore?: string;
  readonly policy?: PolicyInForce;
  readonly log?: Logger;
  readonly keys?: KeyProvider;
  readonly clock?: ReturnType<typeof manualClock>;
}

/** A cluster with one control plane, which is on record with the name cp-1 and 10.0.0.1. */
export async function openCluster(options: Options = {}) {
  const { log = silentLogger, clock = manualClock(START) } = options;
  const store = options.store ?? openMemoryStore({ clock, random: systemRandom });
  const audit: AuditEntry[] = [];
  if (options.store === undefined) await fill(store);
  const signer: OpenSigner = await openSigner({
    ...{ store, clock, random: systemRandom, log, apiPort: () => 50000 },
    keys: options.keys ?? keys,
    ...(options.policy && { policy: options.policy }),
    ...(options.strictJoin && { strictJoin: true }),
    ...(options.whyNoClusterStore !== undefined && {
      cluster: nowhere(options.whyNoClusterStore),
    }),
    record: async (entry) => void audit.push(entry),
  });
  return {
    ...{ store, clock, signer, audit },
    token: (text: string, spec: Partial<Token> = {}) => createToken(store, text, spec),
    [Symbol.asyncDispose]: async () => {
      await signer.close();
      if (options.store === undefined) await store.close();
    },
  };
}

/** No store that is shared. */
function nowhere(why: string): ClusterStore {
  const refusal = new NoClusterStoreError(why);
  return {
    find: async () => ({ refusal }),
    open: async () => {
      throw refusal;
    },
  };
}

export async function fill(store: Store): Promise<void> {
  await store.create(OSRoot, "os", {
    issuingCA: root,
    certSANIPs: ["10.0.0.100", "192.0.2.100"],
    certSANDNSNames: ["api.example.com", "cluster.example.net", "cp-1.example.net"],
    token: MACHINE_TOKEN,
    acceptedCAs: [{ crt: formerRoot.crt }, { crt: root.crt }],
  });
  await store.create(MachineToken, "trustd", { hash: tokenHash(MACHINE_TOKEN), former: [] });
  await store.create(Member, "cp-2", {
    ...{ nodeId: "", addresses: [], hostname: "cp-1.example.net", machineType: "controlplane" },
    ...{ operatingSystem: "", controlPlane: null },
  });
  await store.create(Member, "cp-1", {
    nodeId: ID.controlPlane,
    addresses: ["10.0.0.1", "127.0.0.2"],
    hostname: "cp-1.example.com",
    machineType: "controlplane",
    operatingSystem: "",
    controlPlane: { port: 6443 },
  });
}

/** Puts a join token into the store; by default good for any number of workers. */
export const createToken = (store: Store, text: string, spec: Partial<Token> = {}) =>
  store.create(JoinToken, text.slice(0, 6), {
    hash: tokenHash(text),
    description: "",
    created: rfc3339(START),
    ...{ notAfter: "", revoked: "", uses: 0, used: 0, machineType: "worker" },
    bounds: { dnsNames: [], addresses: [] },
    ...spec,
  });

interface Wanted {
  readonly commonName?: string;
  readonly organizations?: readonly string[];
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  readonly key?: PrivateKey;
}

/** A request for a certificate, by default of worker-1 at 10.0.0.7. */
export async function csr(wanted: Wanted = {}): Promise<Buffer> {
  const { commonName = "worker-1.example.com", organizations = [] } = wanted;
  return Buffer.from(
    await issueCsr({
      key: wanted.key ?? key,
      subject: buildName({ commonName, organizations }),
      dnsNames: wanted.dnsNames ?? ["worker-1", "worker-1.example.com"],
      ipAddresses: wanted.ipAddresses ?? ["10.0.0.7", "127.0.0.1"],
    }),
  );
}

let requests = 0;

/** What a node has signed. */
export async function signing(wanted: Wanted = {}): Promise<SigningRequest> {
  requests += 1;
  return {
    requestId: requests.toString(16).padStart(32, "0"),
    servingCsr: await csr(wanted),
    identityCsr: await csr({ ...wanted, commonName: "any", dnsNames: [], ipAddresses: [] }),
  };
}

interface Former {
  readonly crt: Uint8Array;
  readonly key?: PrivateKey;
}

/** A join, with proof of who the node was before where there is a former certificate. */
export async function joining(
  nodeId: string,
  wanted: Wanted & { readonly former?: Former } = {},
): Promise<JoinRequest> {
  const request = await signing(wanted);
  const { former } = wanted;
  if (former === undefined)
    return { signing: request, nodeId, formerCrt: Buffer.of(), formerSignature: Buffer.of() };
  const signature = await (former.key ?? key).sign(proofOf(request, nodeId));
  return {
    signing: request,
    nodeId,
    formerCrt: Buffer.from(former.crt),
    formerSignature: Buffer.from(signature),
  };
}

/** Reads what was answered. */
export const certificateIn = (pem: Uint8Array) => readCertificate(Buffer.from(pem).toString());
