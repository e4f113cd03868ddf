/** `trustplane.v1.ControlService`: what Talos has no calls for. */
import { at } from "#runtime";
import { InvalidRequestError } from "#runtime/rpc";
import {
  Deny,
  DenyList,
  Rekey,
  Renew,
  Undeny,
  type ControlServiceServer,
  type IssuedLeaf,
} from "../rpc/gen/control/control.ts";
import type { Router } from "./router.ts";

/** A leaf that was issued for a request; times are RFC 3339. */
export interface Issued {
  readonly id: string;
  readonly serialNumber: string;
  readonly notAfter: string;
}

/**
 * Replaces leaves before their time, and answers when the new ones are held.
 *
 * @param request `ids` of certificate statuses; none means all leaves
 * @throws {CertificateUnknownError} {@link NoLeafError} {@link RenewalUnmetError}
 */
export type RenewLeaves = (request: {
  readonly ids: readonly string[];
  readonly newKey: boolean;
  readonly signal: AbortSignal;
}) => Promise<readonly Issued[]>;

/** A client certificate that is turned away; `since` is RFC 3339. */
export interface Denied {
  readonly fingerprint: string;
  readonly reason: string;
  readonly since: string;
}

/** The client certificates that a node turns away. */
export interface Denials {
  /** Resolves when it is in force, with the number of connections that end. */
  deny(fingerprint: string, reason: string): Promise<number>;
  /** @throws {DenialUnknownError} */
  undeny(fingerprint: string): Promise<void>;
  /** In the order of their fingerprints. */
  list(): Promise<readonly Denied[]>;
}

export const renewalMethods = (
  router: Router,
  renew: RenewLeaves,
): Pick<ControlServiceServer, "renew" | "rekey"> => ({
  renew: router.unary(Renew, async ({ ids }, { signal }) => ({
    leaves: (await renew({ ids, newKey: false, signal })).map(leafMessage),
  })),
  rekey: router.unary(Rekey, async ({ ids }, { signal }) => {
    if (ids.length === 0)
      throw new InvalidRequestError("ids are missing: name what gets a new key");
    return { leaves: (await renew({ ids, newKey: true, signal })).map(leafMessage) };
  }),
});

export const denialMethods = (
  router: Router,
  denials: Denials,
): Pick<ControlServiceServer, "deny" | "undeny" | "denyList"> => ({
  deny: router.unary(Deny, async ({ fingerprint, reason }) => {
    if (reason.length > REASON_MAX)
      throw new InvalidRequestError(`the reason has more than ${REASON_MAX} characters`);
    return { connections: await denials.deny(fingerprintIn(fingerprint), reason) };
  }),
  undeny: router.unary(Undeny, async ({ fingerprint }) => {
    await denials.undeny(fingerprintIn(fingerprint));
    return {};
  }),
  denyList: router.unary(DenyList, async () => ({
    certificates: (await denials.list()).map(({ since, ...denied }) => ({
      ...denied,
      since: timestamp(since),
    })),
  })),
});

const REASON_MAX = 1000;

const leafMessage = ({ id, serialNumber, notAfter }: Issued): IssuedLeaf => ({
  id,
  serialNumber,
  notAfter: timestamp(notAfter),
});

const timestamp = (time: string): Date => new Date(at(time));

/** As it is stored: colons and upper case are for people. */
function fingerprintIn(text: string): string {
  const fingerprint = text.replaceAll(":", "").toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(fingerprint))
    throw new InvalidRequestError(
      `${JSON.stringify(text.slice(0, 100))} is not the SHA-256 fingerprint of a certificate: 64 hex digits`,
    );
  return fingerprint;
}
