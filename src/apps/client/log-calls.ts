/** The logs of nodes, over `machine.MachineService` (talosctl-wire.md §2.6). */
import { ContainerDriver } from "../rpc/gen/common/common.ts";
import type { Client } from "./client.ts";
import { callMetadata, messages } from "./connection.ts";
import type { Endpoints } from "./failover.ts";

/** Which log, and how much of it. */
export interface LogRequest {
  readonly id: string;
  /** Of a container of Kubernetes, and not of a service. */
  readonly kubernetes?: boolean;
  /** Goes on with what comes. */
  readonly follow?: boolean;
  /** How many of the last lines; left out: all of them. */
  readonly tail?: number;
}

/** Makes the calls. */
export const logCalls = (endpoints: Endpoints): Pick<Client, "logs"> => ({
  logs({ id, kubernetes = false, follow = false, tail = -1 }, { node, signal } = {}) {
    const request = {
      namespace: kubernetes ? "k8s.io" : "system",
      driver: kubernetes ? ContainerDriver.CRI : ContainerDriver.CONTAINERD,
      ...{ id, follow, tailLines: tail },
    };
    return linesOf(
      endpoints.stream(node, ({ machine }) =>
        messages(machine.logs(request, callMetadata(node)), signal),
      ),
    );
  },
});

/** Pieces end anywhere, inside of a character too. */
async function* linesOf(pieces: AsyncIterable<{ readonly bytes: Uint8Array }>) {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const { bytes } of pieces) {
    const [first = "", ...others] = decoder.decode(bytes, { stream: true }).split("\n");
    const lines = [rest + first, ...others];
    rest = lines.pop() ?? "";
    yield* lines;
  }
  rest += decoder.decode();
  if (rest !== "") yield rest;
}
