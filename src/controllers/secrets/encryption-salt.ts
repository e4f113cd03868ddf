/** Makes the node's disk-encryption salt once and keeps it for good. */
import { EncryptionSalt } from "#resources";
import { defineController, exclusive } from "#runtime";

export const encryptionSaltController = () =>
  defineController({
    name: "secrets.EncryptionSaltController",
    inputs: {},
    outputs: { salt: exclusive(EncryptionSalt) },

    reconcile({ held, random }) {
      if (held.salt.salt) return;
      const diskSalt = btoa(String.fromCharCode(...random.bytes(32)));
      return { outputs: { salt: { salt: { diskSalt } } } };
    },
  });
