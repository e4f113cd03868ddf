/** `cluster.ClusterService`: progress of a health check, line by line (talosctl-wire.md §2.6, §3.5). */
import { minutes } from "#runtime";
import { InvalidRequestError } from "#runtime/rpc";
import type {
  ClusterServiceServer,
  HealthCheckProgress,
  HealthCheckRequest,
} from "../rpc/gen/cluster/cluster.ts";
import { durationOf } from "./machine/client-configuration.ts";
import type { Router } from "./router.ts";

/**
 * Waits until all is well, and tells what it waits for.
 *
 * @param options `timeout` in milliseconds; `signal` aborts when nobody listens any longer
 * @throws {UnhealthyError} naming what is not well when the time is up
 */
export type CheckHealth = (options: {
  readonly timeout: number;
  readonly signal: AbortSignal;
  readonly tell: (line: string) => Promise<void>;
}) => Promise<void>;

/** Talos' default. */
const TIMEOUT = minutes(20);

export const clusterMethods = (
  router: Router,
  check: CheckHealth,
): Pick<ClusterServiceServer, "healthCheck"> => ({
  healthCheck: router.stream<HealthCheckRequest, HealthCheckProgress>(
    async ({ waitTimeout }, sink) => {
      const timeout = waitTimeout === undefined ? TIMEOUT : durationOf(waitTimeout);
      if (timeout < 0) throw new InvalidRequestError("wait_timeout should not be negative");
      const tell = async (message: string) => sink.send({ message });
      await check({ timeout: timeout === 0 ? TIMEOUT : timeout, signal: sink.signal, tell });
    },
  ),
});
