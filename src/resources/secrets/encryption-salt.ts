import { defineResource } from "#runtime";
import { z } from "zod";
import { base64Bytes, bytesOf, message } from "../encoding.ts";

/** 32 random bytes, base64, made once and kept; for disk encryption, not PKI. Id: `salt`. */
export const EncryptionSalt = defineResource({
  type: "EncryptionSalts.secrets.talos.dev",
  namespace: "secrets",
  sensitivity: "sensitive",
  spec: z.object({ diskSalt: z.string() }),
  encoding: {
    proto: message({ diskSalt: base64Bytes(1) }),
    yaml: ({ diskSalt }) => ({ diskSalt: [...bytesOf(diskSalt)] }), // as Go prints bytes
  },
});
