/** `MachineService/GenerateClientConfiguration` (talosctl-wire.md §2.3). */
import { milliseconds, seconds } from "#runtime";
import { InvalidRequestError } from "#runtime/rpc";
import type { Duration } from "../../rpc/gen/google/protobuf/duration.ts";
import {
  GenerateClientConfiguration,
  type MachineServiceServer,
} from "../../rpc/gen/machine/machine.ts";
import type { Router } from "../router.ts";

/**
 * Issues a client certificate with these roles, and a talosconfig around it.
 *
 * @param request `lifetime` in milliseconds
 * @throws {ControlPlaneOnlyError} on a machine without the authority's key
 */
export type IssueClientConfiguration = (request: {
  readonly roles: readonly string[];
  readonly lifetime: number;
}) => Promise<{
  readonly ca: string;
  readonly crt: string;
  readonly key: string;
  readonly talosconfig: string;
}>;

export const clientConfigurationMethods = (
  router: Router,
  issue: IssueClientConfiguration,
): Pick<MachineServiceServer, "generateClientConfiguration"> => ({
  generateClientConfiguration: router.unary(
    GenerateClientConfiguration,
    async ({ roles, crtTtl }) => {
      const lifetime = crtTtl === undefined ? 0 : durationOf(crtTtl);
      if (lifetime <= 0) throw new InvalidRequestError("crt_ttl should be positive");
      const { ca, crt, key, talosconfig } = await issue({ roles, lifetime });
      return {
        ca: Buffer.from(ca),
        crt: Buffer.from(crt),
        key: Buffer.from(key),
        talosconfig: Buffer.from(talosconfig),
      };
    },
  ),
});

/** In milliseconds. */
export const durationOf = ({ seconds: whole, nanos }: Duration): number =>
  seconds(Number(whole)) + milliseconds(nanos / 1e6);
