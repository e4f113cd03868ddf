/** How a node shows that it is who it was before, though its certificate may have ended. */
import { createHash } from "node:crypto";
import type { KeyedPem, KeyProvider } from "#pki";
import type { JoinRequest } from "../rpc/gen/node/node.ts";

type Signed = Pick<JoinRequest, "signing" | "nodeId">;

/** What is signed: `trustplane.v1.Join` NUL, then SHA-256 of each part of the request. */
export function joinProofText({ signing, nodeId }: Signed): Uint8Array {
  const { requestId = "", servingCsr = nothing, identityCsr = nothing } = signing ?? {};
  const parts = [Buffer.from(requestId), servingCsr, identityCsr, Buffer.from(nodeId)];
  const digests = parts.map((part) => createHash("sha256").update(part).digest());
  return Buffer.concat([Buffer.from("trustplane.v1.Join\0"), ...digests]);
}

const nothing = Buffer.alloc(0);

/** Adds to a request who the node was before. */
export async function withProof(
  request: JoinRequest,
  former: KeyedPem | null,
  keys: Pick<KeyProvider, "readKey">,
): Promise<JoinRequest> {
  if (former === null) return request;
  const key = await keys.readKey(former.key);
  const formerSignature = Buffer.from(await key.sign(joinProofText(request)));
  return { ...request, formerCrt: Buffer.from(former.crt), formerSignature };
}
