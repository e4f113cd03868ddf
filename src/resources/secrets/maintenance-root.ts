import { defineResource } from "#runtime";
import { z } from "zod";
import { keyedPemMessage, message, nested, withBase64Pem } from "../encoding.ts";
import { keyedPem } from "../pem.ts";

/** The short-lived root of a node that has no configuration yet. Id: `maintenance`. */
export const MaintenanceRoot = defineResource({
  type: "MaintenanceRootSecrets.secrets.talos.dev",
  namespace: "secrets",
  sensitivity: "sensitive",
  spec: z.object({ ca: keyedPem }),
  encoding: { proto: message({ ca: nested(1, keyedPemMessage) }), yaml: withBase64Pem },
});
