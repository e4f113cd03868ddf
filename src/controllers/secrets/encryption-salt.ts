/** Makes the node's disk-encryption salt once and keeps it for good, as long as it can be read. */
import { EncryptionSalt } from "#resources";
import { defineController, exclusive } from "#runtime";

const BYTES = 32; // 44 digits of base64

export const encryptionSaltController = () =>
  defineController({
    name: "secrets.EncryptionSaltController",
    inputs: {},
    outputs: { salt: exclusive(EncryptionSalt) },

    reconcile({ held, random }) {
      if (/^[A-Za-z0-9+/]{43}=$/.test(held.salt.salt?.diskSalt ?? "")) return;
      const diskSalt = btoa(String.fromCharCode(...random.bytes(BYTES)));
      return { outputs: { salt: { salt: { diskSalt } } } };
    },
  });
