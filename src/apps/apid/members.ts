/** Join tokens and members, over `trustplane.v1.ControlService`. */
import { at, seconds } from "#runtime";
import { InvalidRequestError } from "#runtime/rpc";
import {
  MemberList,
  MemberRemove,
  TokenCreate,
  TokenList,
  TokenRevoke,
  type ControlServiceServer,
  type TokenCreateRequest,
} from "../rpc/gen/control/control.ts";
import type { Register } from "../trustd/members/register.ts";
import type { TokenRequest, Tokens } from "../trustd/tokens.ts";
import type { Router } from "./router.ts";

export const tokenMethods = (
  router: Router,
  tokens: Tokens,
): Pick<ControlServiceServer, "tokenCreate" | "tokenList" | "tokenRevoke"> => ({
  tokenCreate: router.unary(TokenCreate, async (request) => {
    const { notAfter, ...made } = await tokens.create(tokenRequest(request));
    return { ...made, notAfter: timestamp(notAfter) };
  }),
  tokenList: router.unary(TokenList, async () => ({
    tokens: (await tokens.list()).map(({ bounds, created, notAfter, ...token }) => ({
      ...token,
      created: timestamp(created),
      notAfter: timestamp(notAfter),
      dnsNames: [...bounds.dnsNames],
      addresses: [...bounds.addresses],
    })),
  })),
  tokenRevoke: router.unary(TokenRevoke, async ({ id }) => {
    if (id === "") throw new InvalidRequestError("id is missing: name the token that is revoked");
    await tokens.revoke(id);
    return {};
  }),
});

export const memberMethods = (
  router: Router,
  register: Register,
): Pick<ControlServiceServer, "memberList" | "memberRemove"> => ({
  memberList: router.unary(MemberList, async () => ({
    members: (await register.list()).map(({ joined, lastHeard, notAfter, ...member }) => ({
      ...member,
      addresses: [...member.addresses],
      joined: timestamp(joined),
      lastHeard: timestamp(lastHeard),
      notAfter: timestamp(notAfter),
    })),
  })),
  memberRemove: router.unary(MemberRemove, async ({ member }) => {
    if (member === "")
      throw new InvalidRequestError("member is missing: a hostname, an address or a node id");
    const { notAfter, ...removed } = await register.remove(member);
    return { ...removed, notAfter: timestamp(notAfter) };
  }),
});

const tokenRequest = ({ lifetime, ...request }: TokenCreateRequest): TokenRequest => ({
  ...request,
  lifetime: lifetime && seconds(Number(lifetime.seconds) + lifetime.nanos / 1e9),
});

/** Undefined for what has no time. */
const timestamp = (time: string): Date | undefined =>
  time === "" ? undefined : new Date(at(time));
