/** Signs what was admitted, with the authority that is in force. */
import {
  AlgorithmMismatchError,
  AltNameInvalidError,
  buildName,
  CertificateRefusedError,
  certifyCsr,
  commonName,
  defaultInForce,
  enforce,
  leafProfiles,
  nameParts,
  readAuthority,
  type Bounds,
  type Certificate,
  type CompiledPolicy,
  type Csr,
  type KeyProvider,
  type LeafProfile,
  type Name,
  type PolicyInForce,
} from "#pki";
import { CodedError, type Clock, type Random } from "#runtime";
import { NODE } from "../apid/roles.ts";
import { AuthorityMissingError, CsrUnsignableError, SigningFailedError } from "./errors.ts";
import type { Facts } from "./facts.ts";

/** Issues certificates for requests that were admitted. */
export interface Issuing {
  /** As Talos does it: of the subject only organizations are left out. */
  readonly plain: (csr: Csr, bounds?: Bounds) => Promise<Certificate>;
  /** What a member serves: the common name, and the other names. */
  readonly serving: (csr: Csr, bounds?: Bounds) => Promise<Certificate>;
  /** What a member is a client with: only its key is taken from the request. */
  readonly identity: (csr: Csr, nodeId: string) => Promise<Certificate>;
  /**
   * Looks again, right before they are put on record.
   *
   * @throws {PolicyRefusedError} when the policy is another one by now, and does not allow them
   */
  readonly recheck: (...certificates: readonly Certificate[]) => void;
}

/** What issuing needs. */
export interface IssuingOptions {
  readonly facts: Pick<Facts, "root">;
  readonly keys: KeyProvider;
  readonly random: Random;
  readonly clock: Clock;
  /** Left out: the default policy is in force. */
  readonly policy?: PolicyInForce;
}

/** Makes it. */
export function issuingWith({
  facts,
  keys,
  random,
  clock,
  policy = defaultInForce,
}: IssuingOptions): Issuing {
  const passed = new WeakMap<Certificate, Passed>();
  const authorityInForce = onceForEach(
    () => facts.root()?.issuingCA,
    (pem) => readAuthority(pem, keys, "the Talos API authority"),
  );
  const issue = async (profile: LeafProfile, csr: Csr, subject: Name, bounds?: Bounds) => {
    try {
      const authority = await authorityInForce();
      if (authority === undefined) throw new AuthorityMissingError();
      const by = policy();
      const certificate = await certifyCsr({
        ...{ csr, subject, authority, profile, random, policy: () => by },
        now: clock.now(),
        ...(bounds && { bounds }),
      });
      passed.set(certificate, { profile: profile.name, by, bounds });
      return certificate;
    } catch (error) {
      if (!(error instanceof CodedError) || isRefusal(error)) throw error;
      const isOfRequest =
        error instanceof AltNameInvalidError || error instanceof AlgorithmMismatchError;
      const { message } = error;
      throw isOfRequest
        ? new CsrUnsignableError(message, { cause: error })
        : new SigningFailedError(message, { cause: error });
    }
  };
  const { nodeServer, nodeIdentity } = leafProfiles;
  return {
    plain: (csr, bounds) =>
      issue(nodeServer, csr, buildName({ ...nameParts(csr.subject), organizations: [] }), bounds),
    serving: (csr, bounds) =>
      issue(nodeServer, csr, buildName({ commonName: commonName(csr.subject) ?? "" }), bounds),
    identity: (csr, nodeId) =>
      issue(
        nodeIdentity,
        { ...csr, dnsNames: [], ipAddresses: [] },
        buildName({ organizations: [NODE], commonName: nodeId }),
      ),
    recheck(...certificates) {
      const now = policy();
      for (const certificate of certificates) {
        const { profile, by, bounds } = passed.get(certificate) ?? {};
        if (profile !== undefined && by !== now) enforce(certificate, profile, now, bounds);
      }
    },
  };
}

const isRefusal = (error: CodedError): boolean =>
  error instanceof CertificateRefusedError || error instanceof AuthorityMissingError;

interface Passed {
  readonly profile: string;
  readonly by: CompiledPolicy;
  readonly bounds: Bounds | undefined;
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
    if (last?.from === from) return last.to;
    const made = { from, to: make(from) };
    last = made;
    // One that failed is tried again: a key may be out of reach for a moment only.
    made.to.catch(() => {
      if (last === made) last = undefined;
    });
    return made.to;
  };
}
