/** Signs what was admitted, with the authority that is in force. */
import {
  buildName,
  CertificateRefusedError,
  certifyCsr,
  commonName,
  leafProfiles,
  nameParts,
  readAuthority,
  type Certificate,
  type Csr,
  type KeyProvider,
  type LeafProfile,
  type Name,
} from "#pki";
import { CodedError, type Clock, type Random } from "#runtime";
import { NODE } from "../apid/roles.ts";
import { AuthorityMissingError, CsrUnsignableError } from "./errors.ts";
import type { Facts } from "./facts.ts";

/** Issues certificates for requests that were admitted. */
export interface Issuing {
  /** As Talos does it: of the subject only organizations are left out. */
  plain(csr: Csr): Promise<Certificate>;
  /** What a member serves: the common name, and the other names. */
  serving(csr: Csr): Promise<Certificate>;
  /** What a member is a client with: only its key is taken from the request. */
  identity(csr: Csr, nodeId: string): Promise<Certificate>;
}

/** What issuing needs. */
export interface IssuingOptions {
  readonly facts: Pick<Facts, "root">;
  readonly keys: KeyProvider;
  readonly random: Random;
  readonly clock: Clock;
}

/** Makes it. */
export function issuingWith({ facts, keys, random, clock }: IssuingOptions): Issuing {
  const authorityInForce = onceForEach(
    () => facts.root()?.issuingCA,
    (pem) => readAuthority(pem, keys, "the Talos API authority"),
  );
  const issue = async (profile: LeafProfile, csr: Csr, subject: Name) => {
    const authority = await authorityInForce();
    if (authority === undefined) throw new AuthorityMissingError();
    try {
      return await certifyCsr({ csr, subject, authority, profile, now: clock.now(), random });
    } catch (error) {
      if (!(error instanceof CodedError) || error instanceof CertificateRefusedError) throw error;
      throw new CsrUnsignableError(error.message, { cause: error });
    }
  };
  return {
    plain: (csr) =>
      issue(
        leafProfiles.nodeServer,
        csr,
        buildName({ ...nameParts(csr.subject), organizations: [] }),
      ),
    serving: (csr) =>
      issue(leafProfiles.nodeServer, csr, buildName({ commonName: commonName(csr.subject) ?? "" })),
    identity: (csr, nodeId) =>
      issue(
        leafProfiles.nodeIdentity,
        { ...csr, dnsNames: [], ipAddresses: [] },
        buildName({ organizations: [NODE], commonName: nodeId }),
      ),
  };
}

/** What is made of a value, until there is another one. */
function onceForEach<From extends object, To>(
  current: () => From | null | undefined,
  make: (from: From) => Promise<To>,
): () => Promise<To | undefined> {
  let last: { readonly from: From; readonly to: Promise<To> } | undefined;
  return async () => {
    const from = current();
    if (!from) return undefined;
    if (last?.from !== from) last = { from, to: make(from) };
    return last.to;
  };
}
