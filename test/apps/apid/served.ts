/** A node with a few more answers, and stubs of every service over one connection to it. */
import { Metadata, type ClientReadableStream } from "@grpc/grpc-js";
import type { NodePorts } from "../../../src/apps/apid/index.ts";
import { ClusterServiceClient } from "../../../src/apps/rpc/gen/cluster/cluster.ts";
import { TimeServiceClient } from "../../../src/apps/rpc/gen/time/time.ts";
import { issueClient, rawClient, runNode } from "./running-node.ts";

const ports: NodePorts = {
  build: { sha: "0123abc", built: "2030-01-01T00:00:00Z" },
  applyConfiguration: async () => ({ warnings: [], modeDetails: "" }),
  issueClientConfiguration: async () => ({ ca: "", crt: "", key: "", talosconfig: "" }),
};

/** Starts it; calls are made by somebody with these roles. */
export async function serve(more: Partial<NodePorts>, roles: readonly string[] = ["os:admin"]) {
  const node = await runNode({ ports: { ...ports, ...more } });
  const machine = rawClient(node, await issueClient(node.root, roles));
  const shared = { channelOverride: machine.getChannel() };
  return {
    machine,
    time: new TimeServiceClient("unused", undefined as never, shared),
    cluster: new ClusterServiceClient("unused", undefined as never, shared),
    async [Symbol.asyncDispose]() {
      machine.close();
      await node[Symbol.asyncDispose]();
    },
  };
}

/** All messages of a stream. */
export async function collect<Message>(stream: ClientReadableStream<Message>): Promise<Message[]> {
  const found: Message[] = [];
  for await (const message of stream as AsyncIterable<Message>) found.push(message);
  return found;
}

/** Headers of a request. */
export function headers(values: Readonly<Record<string, string>>): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(values)) metadata.set(name, value);
  return metadata;
}
