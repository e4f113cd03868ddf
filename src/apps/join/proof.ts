/** How a node shows that it is who it was before, though its certificate may have ended. */
import type { KeyedPem, KeyProvider } from "#pki";
import type { JoinRequest } from "../rpc/gen/node/node.ts";
import { proofOf } from "../trustd/proof.ts";

/** Adds to a request who the node was before. */
export async function withProof(
  request: JoinRequest,
  former: KeyedPem | null,
  keys: Pick<KeyProvider, "readKey">,
): Promise<JoinRequest> {
  const { signing, nodeId } = request;
  if (former === null || signing === undefined) return request;
  const key = await keys.readKey(former.key);
  const formerSignature = Buffer.from(await key.sign(proofOf(signing, nodeId)));
  return { ...request, formerCrt: Buffer.from(former.crt), formerSignature };
}
