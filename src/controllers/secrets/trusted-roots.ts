/**
 * Collects the extra roots of `TrustedRootsConfig` documents. They are for the host's own bundle
 * (image pulls, discovery), never for what apid trusts (talos-pki.md §4.4).
 */
import { ACTIVE, EtcFileSpec, MachineConfig } from "#resources";
import { defineController, maybe, shared } from "#runtime";
import { readStored } from "../stored-config.ts";

export const trustedRootsController = () =>
  defineController({
    name: "secrets.TrustedRootsController",
    inputs: { config: maybe(MachineConfig, ACTIVE) },
    outputs: { file: shared(EtcFileSpec) },

    reconcile({ inputs }) {
      const config = inputs.config && readStored(inputs.config);
      if (config === undefined) return;
      const roots = config?.trustedRoots ?? [];
      const contents = roots
        .map(({ name, certificates }) => `# ${name}\n${certificates}`)
        .join("\n");
      return {
        outputs: {
          file:
            contents === "" ? {} : { "ssl/certs/ca-certificates.crt": { contents, mode: "0644" } },
        },
      };
    },
  });
