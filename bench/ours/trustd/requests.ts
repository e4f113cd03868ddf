/** What nodes ask for: two requests with new P-256 keys each. */
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { buildName, issueCsr, softwareKey } from "#pki";
import { CertificateRequest } from "../../../src/apps/rpc/gen/security/security.ts";
import { JoinRequest } from "../../../src/apps/rpc/gen/node/node.ts";

export const paths = {
  certificate: "/securityapi.SecurityService/Certificate",
  join: "/trustplane.v1.NodeService/Join",
} as const;

const newKey = () => softwareKey(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey);

/** A name and an address that no other node of the run has. */
function servingCsr(node: number): Promise<string> {
  const hostname = `node-${node}`;
  return issueCsr({
    key: newKey(),
    subject: buildName({ commonName: hostname }),
    dnsNames: [hostname, `${hostname}.example.org`],
    ipAddresses: [`10.${(node >> 16) & 255}.${(node >> 8) & 255}.${node & 255}`, "127.0.0.1"],
  });
}

/** Ids are hexadecimal, which is half of what they may be. */
const ID_BYTES = 22;
const REQUEST_ID_BYTES = 16;

/** A request of the `node`th node to join, encoded. */
export async function joinRequest(node: number): Promise<Uint8Array> {
  const identity = await issueCsr({ key: newKey(), subject: buildName({}) });
  return JoinRequest.encode({
    signing: {
      requestId: randomBytes(REQUEST_ID_BYTES).toString("hex"),
      servingCsr: Buffer.from(await servingCsr(node)),
      identityCsr: Buffer.from(identity),
    },
    nodeId: randomBytes(ID_BYTES).toString("hex"),
    formerCrt: Buffer.alloc(0),
    formerSignature: Buffer.alloc(0),
  }).finish();
}

/** The same node as a worker of Talos asks, encoded. */
export async function certificateRequest(node: number): Promise<Uint8Array> {
  return CertificateRequest.encode({ csr: Buffer.from(await servingCsr(node)) }).finish();
}
