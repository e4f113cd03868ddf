/** Join tokens and members, over `trustplane.v1.ControlService`. */
import { seconds } from "#runtime";
import type {
  JoinToken,
  MemberInfo,
  MemberListResponse,
  MemberRemoveResponse,
  TokenCreateResponse,
  TokenListResponse,
  TokenRevokeResponse,
} from "../rpc/gen/control/control.ts";
import type { CallOptions } from "./client.ts";
import { callMetadata, reply } from "./connection.ts";
import type { Endpoints } from "./failover.ts";
import { only } from "./machine-calls.ts";

/** A token that was made; this is the one time that it is told. */
export interface NewToken {
  readonly id: string;
  readonly token: string;
  /** Undefined: it has no end. */
  readonly notAfter: Date | undefined;
}

/** A token as it is listed, without itself. */
export type ListedToken = Readonly<JoinToken>;

/** A member as it is listed. */
export type ListedMember = Readonly<MemberInfo>;

/** A member that is one no longer. */
export interface RemovedMember {
  readonly nodeId: string;
  readonly hostname: string;
  /** How many certificates are denied from now on. */
  readonly denied: number;
  /** When what it serves ends, which nothing can take back; undefined: that is not known. */
  readonly notAfter: Date | undefined;
}

export interface MemberCalls {
  /** @param request `lifetime` in milliseconds, undefined for none; `uses` 0 for any number */
  createToken(
    request: {
      readonly description: string;
      readonly uses: number;
      readonly lifetime: number | undefined;
      readonly dnsNames: readonly string[];
      readonly addresses: readonly string[];
      readonly machineType: string;
    },
    options?: CallOptions,
  ): Promise<NewToken>;
  tokens(options?: CallOptions): Promise<readonly ListedToken[]>;
  revokeToken(id: string, options?: CallOptions): Promise<void>;
  members(options?: CallOptions): Promise<readonly ListedMember[]>;
  /** @param member hostname, address or node id */
  removeMember(member: string, options?: CallOptions): Promise<RemovedMember>;
}

/** Makes the calls. */
export const memberCalls = (endpoints: Endpoints): MemberCalls => ({
  createToken: ({ lifetime, dnsNames, addresses, ...asked }, { node } = {}) =>
    endpoints.ask(node, async ({ control }) => {
      const request = {
        ...asked,
        lifetime: lifetime === undefined ? undefined : durationOf(lifetime),
        ...{ dnsNames: [...dnsNames], addresses: [...addresses] },
      };
      const answer = await reply<TokenCreateResponse>((done) =>
        control.tokenCreate(request, callMetadata(node), done),
      );
      const { id, token, notAfter } = only(answer);
      return { id, token, notAfter };
    }),
  tokens: ({ node } = {}) =>
    endpoints.ask(node, async ({ control }) => {
      const answer = await reply<TokenListResponse>((done) =>
        control.tokenList({}, callMetadata(node), done),
      );
      return only(answer).tokens;
    }),
  revokeToken: (id, { node } = {}) =>
    endpoints.ask(node, async ({ control }) => {
      only(
        await reply<TokenRevokeResponse>((done) =>
          control.tokenRevoke({ id }, callMetadata(node), done),
        ),
      );
    }),
  members: ({ node } = {}) =>
    endpoints.ask(node, async ({ control }) => {
      const answer = await reply<MemberListResponse>((done) =>
        control.memberList({}, callMetadata(node), done),
      );
      return only(answer).members;
    }),
  removeMember: (member, { node } = {}) =>
    endpoints.ask(node, async ({ control }) => {
      const answer = await reply<MemberRemoveResponse>((done) =>
        control.memberRemove({ member }, callMetadata(node), done),
      );
      const { nodeId, hostname, denied, notAfter } = only(answer);
      return { nodeId, hostname, denied, notAfter };
    }),
});

const durationOf = (ms: number) => {
  const whole = Math.floor(ms / seconds(1));
  return { seconds: BigInt(whole), nanos: Math.round((ms - seconds(whole)) * 1e6) };
};
