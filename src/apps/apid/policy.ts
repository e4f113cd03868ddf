/** What may be issued, over `trustplane.v1.ControlService`. */
import { InvalidRequestError } from "#runtime/rpc";
import { PolicyApply, PolicyGet, type ControlServiceServer } from "../rpc/gen/control/control.ts";
import type { Router } from "./router.ts";

/** The policy in force. */
export interface PolicyPort {
  /**
   * Puts a policy in force, and answers when it is.
   *
   * @param text YAML
   * @returns warnings
   * @throws {PolicyInvalidError}; {@link NoClusterStoreError} where it could not hold for the cluster
   */
  apply(text: string, options: { readonly dryRun: boolean }): Promise<readonly string[]>;
  /** The whole of it in YAML. */
  text(): Promise<string>;
}

/** A policy is data of a few kilobytes; this leaves room for long lists. */
const TEXT_MAX = 1 << 20;

export const policyMethods = (
  router: Router,
  port: PolicyPort,
): Pick<ControlServiceServer, "policyApply" | "policyGet"> => ({
  policyApply: router.unary(PolicyApply, async ({ policy, dryRun }) => {
    if (policy.length > TEXT_MAX)
      throw new InvalidRequestError(`the policy has more than ${TEXT_MAX} characters`);
    return { warnings: [...(await port.apply(policy, { dryRun }))] };
  }),
  policyGet: router.unary(PolicyGet, async () => ({ policy: await port.text() })),
});
