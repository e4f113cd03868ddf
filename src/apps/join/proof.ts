/** How a node shows that it is who it was before, though its certificate may have ended. */
import type { KeyedPem, KeyProvider } from "#pki";
import type { JoinRequest } from "../rpc/gen/node/node.ts";
import { proofOf } from "../trustd/proof.ts";

/**
 * Adds to a request who the node was before. One without a former identity may have been given one by an
 * answer that got lost: it shows the key that it asked with then, and asks with now.
 */
export async function withProof(
  request: JoinRequest,
  { former, identityKey }: { readonly former: KeyedPem | null; readonly identityKey: string },
  keys: Pick<KeyProvider, "readKey">,
): Promise<JoinRequest> {
  const { signing, nodeId } = request;
  if (signing === undefined) return request;
  const key = await keys.readKey(former?.key ?? identityKey);
  const formerSignature = Buffer.from(await key.sign(proofOf(signing, nodeId)));
  return { ...request, formerCrt: Buffer.from(former?.crt ?? ""), formerSignature };
}
