/** What the operations of a signer share. */
import type { Clock } from "#runtime";
import type { Issued } from "../rpc/gen/node/node.ts";
import type { ClusterStore } from "../node/cluster-store.ts";
import type { Facts } from "./facts.ts";
import type { Issuing } from "./issuing.ts";
import type { Ledger } from "./ledger.ts";
import type { Renewals } from "./renewals.ts";

/** What they are done with. */
export interface Signing {
  readonly facts: Facts;
  readonly ledger: Ledger;
  readonly issuing: Issuing;
  readonly clock: Clock;
  readonly renewals: Renewals;
  /** Whether addresses are certified for who has them only. */
  readonly isStrict: boolean;
  /** Where apid of this node listens. */
  readonly apiPort: () => number;
  /** Where members and join tokens are kept. */
  readonly cluster: ClusterStore;
}

/** What a member is answered. */
export const issuedTo = (
  { facts, clock, apiPort }: Signing,
  machineType: string,
  { servingCrt, identityCrt }: { readonly servingCrt: string; readonly identityCrt: string },
): Issued => ({
  ca: Buffer.from(facts.acceptedPem()),
  servingCrt: Buffer.from(servingCrt),
  identityCrt: Buffer.from(identityCrt),
  time: new Date(clock.now()),
  machineType,
  apiPort: apiPort(),
});
