/** How nodes are, and what time it is there. */
import { instantOf, type Instant } from "#runtime";
import type { TimeResponse } from "../rpc/gen/time/time.ts";
import type { Client } from "./client.ts";
import { callMetadata, messages, reply } from "./connection.ts";
import type { Endpoints } from "./failover.ts";
import { only } from "./machine-calls.ts";
import { ReplyError } from "./resource.ts";

/** The clock of a node beside the one that it is held against. */
export interface NodeTime {
  /** Who keeps the other one. */
  readonly server: string;
  readonly local: Instant;
  readonly remote: Instant;
}

/** Makes the calls. */
export function statusCalls(endpoints: Endpoints): Pick<Client, "time" | "checkHealth"> {
  return {
    time: ({ node, server } = {}) =>
      endpoints.ask(node, async ({ time }): Promise<NodeTime> => {
        const { localtime, remotetime, ...said } = only(
          await reply<TimeResponse>((done) =>
            server === undefined
              ? time.time({}, callMetadata(node), done)
              : time.timeCheck({ server }, callMetadata(node), done),
          ),
        );
        if (localtime === undefined) throw new ReplyError("localtime is missing");
        if (remotetime === undefined) throw new ReplyError("remotetime is missing");
        return { server: said.server, local: momentOf(localtime), remote: momentOf(remotetime) };
      }),
    async *checkHealth({ timeout, controlPlanes, workers }, { node, signal } = {}) {
      const request = {
        waitTimeout: {
          seconds: BigInt(Math.trunc(timeout / 1000)),
          nanos: Math.trunc(timeout % 1000) * 1_000_000,
        },
        clusterInfo: {
          controlPlaneNodes: [...controlPlanes],
          workerNodes: [...workers],
          forceEndpoint: "",
        },
      };
      const lines = endpoints.stream(node, ({ cluster }) =>
        messages(cluster.healthCheck(request, callMetadata(node)), signal),
      );
      for await (const { message } of lines) yield message;
    },
  };
}

const momentOf = (date: Date): Instant => instantOf(date.getTime());
