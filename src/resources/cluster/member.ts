import { defineResource, type DeepReadonly } from "#runtime";
import { z } from "zod";
import { int, message, messages, nested, netIpMessage, text } from "../encoding.ts";

/** On a member that was not heard of for a while: when it last was, RFC 3339. */
export const UNHEARD_LABEL = "trustplane.dev/unheard";

/** Numbers of Talos' enumeration. */
const numbers = { controlplane: 2, worker: 3 } as const;
const controlPlaneMessage = message<{ readonly port: number }>({ port: int(1) });

const spec = z.object({
  /** Empty while the node has not told it. */
  nodeId: z.string(),
  addresses: z.array(z.string()),
  hostname: z.string(),
  machineType: z.enum(["controlplane", "worker"]),
  /** Empty while the node has not told it. */
  operatingSystem: z.string(),
  /** Where its Kubernetes API is; null on workers. */
  controlPlane: z.object({ port: z.number() }).nullable(),
});

const encode = message<
  Omit<DeepReadonly<z.infer<typeof spec>>, "machineType"> & { machineType: number }
>({
  nodeId: text(1),
  addresses: messages(2, netIpMessage),
  hostname: text(3),
  machineType: int(4),
  operatingSystem: text(5),
  controlPlane: nested(6, controlPlaneMessage),
});

/** A node of the cluster. Id: its hostname, or its address where that is all that is known. */
export const Member = defineResource({
  type: "Members.cluster.talos.dev",
  namespace: "cluster",
  printColumns: [
    { name: "Hostname", jsonPath: "{.hostname}" },
    { name: "Machine Type", jsonPath: "{.machineType}" },
    { name: "OS", jsonPath: "{.operatingSystem}" },
    { name: "Addresses", jsonPath: "{.addresses}" },
  ],
  spec,
  encoding: {
    proto: ({ machineType, ...member }) => encode({ ...member, machineType: numbers[machineType] }),
    yaml: ({ controlPlane, ...member }) =>
      controlPlane === null ? member : { ...member, controlPlane },
  },
});
