/** How a node shows that it is a member: by a signature with the key of its former identity. */
import { hash } from "node:crypto";
import type { SigningRequest } from "../rpc/gen/node/node.ts";

const PURPOSE = "trustplane.v1.Join\0";

const sha256 = (data: string | Uint8Array): Buffer => hash("sha256", data, "buffer");

/** What is signed by the key of the former identity: the request, whose parts cannot be moved. */
export const proofOf = (
  { requestId, servingCsr, identityCsr }: SigningRequest,
  nodeId: string,
): Uint8Array =>
  Buffer.concat([
    Buffer.from(PURPOSE),
    ...[requestId, servingCsr, identityCsr, nodeId].map((part) => sha256(part)),
  ]);
