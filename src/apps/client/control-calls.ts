/** What Talos has no calls for, over `trustplane.v1.ControlService`. */
import type {
  DenyListResponse,
  DenyResponse,
  IssuedLeaf,
  PolicyApplyResponse,
  PolicyGetResponse,
  RekeyResponse,
  RenewResponse,
  UndenyResponse,
} from "../rpc/gen/control/control.ts";
import type { CallOptions } from "./client.ts";
import { callMetadata, reply } from "./connection.ts";
import type { Endpoints } from "./failover.ts";
import { only } from "./machine-calls.ts";

/** A leaf that was issued anew. */
export interface RenewedLeaf {
  readonly id: string;
  readonly serialNumber: string;
  readonly notAfter: Date | undefined;
}

/** A client certificate that is turned away. */
export interface DeniedClient {
  readonly fingerprint: string;
  readonly reason: string;
  readonly since: Date | undefined;
}

export interface ControlCalls {
  /** Resolves when the new leaves are held; without ids all are renewed. */
  renew(
    request: { readonly ids: readonly string[]; readonly newKey: boolean },
    options?: CallOptions,
  ): Promise<readonly RenewedLeaf[]>;
  /** @returns how many connections end */
  deny(
    request: { readonly fingerprint: string; readonly reason: string },
    options?: CallOptions,
  ): Promise<number>;
  undeny(fingerprint: string, options?: CallOptions): Promise<void>;
  denied(options?: CallOptions): Promise<readonly DeniedClient[]>;
  /** @returns warnings */
  applyPolicy(
    request: { readonly policy: string; readonly dryRun: boolean },
    options?: CallOptions,
  ): Promise<readonly string[]>;
  /** The policy in force, in YAML. */
  policy(options?: CallOptions): Promise<string>;
}

/** Makes the calls. */
export const controlCalls = (endpoints: Endpoints): ControlCalls => ({
  renew: ({ ids, newKey }, { node } = {}) =>
    endpoints.ask(node, async ({ control }) => {
      const request = { ids: [...ids] };
      const { leaves } = newKey
        ? only(
            await reply<RekeyResponse>((done) => control.rekey(request, callMetadata(node), done)),
          )
        : only(
            await reply<RenewResponse>((done) => control.renew(request, callMetadata(node), done)),
          );
      return leaves satisfies readonly IssuedLeaf[];
    }),
  deny: (request, { node } = {}) =>
    endpoints.ask(node, async ({ control }) => {
      const { connections } = only(
        await reply<DenyResponse>((done) => control.deny({ ...request }, callMetadata(node), done)),
      );
      return connections;
    }),
  undeny: (fingerprint, { node } = {}) =>
    endpoints.ask(node, async ({ control }) => {
      only(
        await reply<UndenyResponse>((done) =>
          control.undeny({ fingerprint }, callMetadata(node), done),
        ),
      );
    }),
  denied: ({ node } = {}) =>
    endpoints.ask(node, async ({ control }) => {
      const { certificates } = only(
        await reply<DenyListResponse>((done) => control.denyList({}, callMetadata(node), done)),
      );
      return certificates;
    }),
  applyPolicy: (request, { node } = {}) =>
    endpoints.ask(node, async ({ control }) => {
      const { warnings } = only(
        await reply<PolicyApplyResponse>((done) =>
          control.policyApply({ ...request }, callMetadata(node), done),
        ),
      );
      return warnings;
    }),
  policy: ({ node } = {}) =>
    endpoints.ask(node, async ({ control }) => {
      const { policy } = only(
        await reply<PolicyGetResponse>((done) => control.policyGet({}, callMetadata(node), done)),
      );
      return policy;
    }),
});
