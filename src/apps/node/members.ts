/** What a node does for the members of its cluster, as apid serves it. */
import type { Clock, Logger, Random } from "#runtime";
import type { Store } from "#runtime/store";
import type { NodePorts } from "../apid/index.ts";
import { openMembership } from "../trustd/members/membership.ts";
import { openRegister } from "../trustd/members/register.ts";
import { openTokens } from "../trustd/tokens.ts";
import type { ClusterStore } from "./cluster-store.ts";

interface MembersOptions {
  readonly cluster: ClusterStore;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Where apid listens. */
  readonly apiPort: () => number;
}

/** Where there is no store of the cluster, each of them says so. */
export interface MemberServices {
  readonly ports: Required<Pick<NodePorts, "tokens" | "register" | "membership">>;
  close(): void;
}

/** Opens them. */
export function openMembers(options: MembersOptions): MemberServices {
  const log = options.log.child({ component: "members" });
  const membership = openMembership({ ...options, log });
  const register = openRegister({ ...options, log });
  return {
    ports: { tokens: openTokens(options), register, membership },
    close: () => membership.close(),
  };
}
