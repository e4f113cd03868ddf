/** A worker's surroundings as resources, and signers that it can ask: all in memory. */
import { loadMachineConfig } from "#config";
import type { CertificateAnswer, CertificateWish } from "#controllers";
import {
  buildName,
  certifyCsr,
  leafProfiles,
  nameParts,
  readAuthority,
  readCsr,
  requestIssuer,
  webCryptoKeys,
  type KeyedPem,
} from "#pki";
import {
  CertSAN,
  Endpoint,
  Identity,
  MachineType,
  NetworkStatus,
  NodeCertificate,
  OSRoot,
} from "#resources";
import { type Clock, type DeepReadonly, type SpecOf, systemRandom } from "#runtime";
import { mount, type Mounted } from "#runtime/testing";
import { nodeCertificateController } from "../../src/controllers/secrets/node-certificate.ts";
import { controlPlaneConfig, START } from "./control-plane.ts";
import { network } from "./surroundings.ts";

const keys = webCryptoKeys();
export const issueRequest = requestIssuer({ keys });
export const NODE_ID = "n".repeat(44);

/** The demo cluster's root, with its key. */
export function demoRoot(): KeyedPem {
  const root = loadMachineConfig(controlPlaneConfig).osRoot().issuingCA;
  if (root === undefined) throw new Error("the demo has a root");
  return root;
}

/** What a worker's configuration says of its root. */
export const workerRoot = (
  authorities: readonly { readonly crt: string }[],
  token = "aaaaaa.bbbbbbbbbbbbbbbb",
): DeepReadonly<SpecOf<typeof OSRoot>> => ({
  issuingCA: null,
  certSANIPs: [],
  certSANDNSNames: [],
  token,
  acceptedCAs: authorities.map(({ crt }) => ({ crt })),
});

/** Signs what a node asks for. */
export async function issueFor(
  wish: Pick<CertificateWish, "request" | "nodeId">,
  { root = demoRoot(), clock, ahead = 0, lifetime }: SignerOptions,
): Promise<CertificateAnswer> {
  const { request, nodeId } = wish;
  const authority = await readAuthority(root, keys);
  const now = (clock.now() + ahead) as ReturnType<Clock["now"]>;
  const common = { authority, now, random: systemRandom };
  const serving = await readCsr(request.servingCsr);
  const { organizations: _, ...parts } = nameParts(serving.subject);
  const subject = buildName(parts);
  const nodeServer = { ...leafProfiles.nodeServer, ...(lifetime && { lifetime }) };
  const nodeIdentity = { ...leafProfiles.nodeIdentity, ...(lifetime && { lifetime }) };
  const server = await certifyCsr({ ...common, csr: serving, subject, profile: nodeServer });
  const identity = await certifyCsr({
    ...common,
    csr: await readCsr(request.identityCsr),
    subject: buildName({ commonName: nodeId, organizations: ["trustplane:node"] }),
    profile: nodeIdentity,
  });
  return {
    serving: { crt: server.pem, key: request.servingKey },
    identity: { crt: identity.pem, key: request.identityKey },
    acceptedCAs: [{ crt: root.crt }],
    machineType: "worker",
    apiPort: 50_000,
    peerSkew: ahead,
  };
}

export interface SignerOptions {
  readonly root?: KeyedPem;
  readonly clock: Pick<Clock, "now">;
  /** How far its clock is ahead, ms. */
  readonly ahead?: number;
  /** Of both certificates, ms. */
  readonly lifetime?: number;
}

/** A worker, and what it asks; `answer` may be replaced. */
export async function mountWorker(
  authorities: readonly { readonly crt: string }[] = [demoRoot()],
  { without = [] as readonly { readonly type: string }[] } = {},
) {
  const wishes: CertificateWish[] = [];
  const signer = {
    answer: (wish: CertificateWish): Promise<CertificateAnswer> => issueFor(wish, t),
  };
  const controller = nodeCertificateController({
    issueRequest,
    askCertificate: (wish) => {
      wishes.push(wish);
      return signer.answer(wish);
    },
  });
  const t: Mounted = await mount(controller, { now: START });
  await t.create(MachineType, "machine-type", { type: "worker" });
  await t.create(NetworkStatus, "status", network(true, true));
  await t.create(Identity, "local", { nodeId: NODE_ID });
  await t.create(CertSAN, "api", {
    ips: ["127.0.0.1", "192.0.2.9"],
    dnsNames: ["worker-1"],
    fqdn: "worker-1",
  });
  if (!without.includes(Endpoint))
    await t.create(Endpoint, "controlplane", { addresses: ["192.0.2.1"], hosts: ["cp.test"] });
  await t.create(OSRoot, "os", workerRoot(authorities));
  const held = () => t.spec(NodeCertificate, "node");
  return { t, wishes, signer, held };
}
