/** `MachineService/Logs` and `LogsContainers` (talosctl-wire.md §2.6). */
import type { Data } from "../../rpc/gen/common/common.ts";
import { ContainerDriver } from "../../rpc/gen/common/common.ts";
import {
  LogsContainer,
  type LogsRequest,
  type MachineServiceServer,
} from "../../rpc/gen/machine/machine.ts";
import { UnknownLogError } from "../errors.ts";
import type { Ring } from "../ring.ts";
import type { Router } from "../router.ts";

/** The logs of a node by the id of their service; lines without their newline, never secrets. */
export type NodeLogs = ReadonlyMap<string, Ring<string>>;

/** Serves the logs. */
export const logsMethods = (
  router: Router,
  logs: NodeLogs,
): Pick<MachineServiceServer, "logs" | "logsContainers"> => ({
  logsContainers: router.unary(LogsContainer, () => ({ ids: [...logs.keys()] })),
  logs: router.stream<LogsRequest, Data>(async (request, sink) => {
    const ring = find(request, logs);
    const { tailLines, follow } = request;
    const { first, end } = ring;
    const from = tailLines < 0 ? first : Math.max(first, end - tailLines);
    const to = follow ? {} : { to: end };
    for await (const { items, lost } of ring.read({ from, ...to, signal: sink.signal })) {
      const gap =
        lost === 0 ? [] : [`... ${lost} lines are lost: they came faster than they were read`];
      const text = [...gap, ...items].map((line) => `${line}\n`).join("");
      await sink.send({ bytes: Buffer.from(text) });
    }
  }),
});

/** @throws {UnknownLogError} */
function find({ namespace, id, driver }: LogsRequest, logs: NodeLogs): Ring<string> {
  const ids = [...logs.keys()];
  if (driver !== ContainerDriver.CONTAINERD || !["", "system"].includes(namespace))
    throw new UnknownLogError(
      `namespace ${JSON.stringify(namespace)} has no logs: this node runs no containers, only its ` +
        `services log: ${ids.join(", ")}`,
    );
  const ring = logs.get(id);
  if (ring === undefined)
    throw new UnknownLogError(
      `log ${JSON.stringify(id)} was not found: there is ${ids.join(", ")}`,
    );
  return ring;
}
