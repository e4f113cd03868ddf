/** Search for a path from a leaf to an accepted authority, depth first, within bounds of work. */
import { serialHex, type Certificate } from "../certificate.ts";
import { sameKey } from "../keys/algorithms.ts";
import { formatName, sameName } from "../name.ts";
import { faultOf, isSelfIssued, type Demands } from "./checks.ts";
import { comparisonBudget, constraintFault } from "./constraints.ts";
import { signedBy } from "../keys/public-key.ts";
import { describe, validity, type ChainFault, type ChainVerdict } from "./verdict.ts";

/** A tangle of cross-signed authorities costs no more than this, whoever sent it. */
const SIGNATURES_MAX = 256;
const STEPS_MAX = 4096;

interface Candidate {
  readonly certificate: Certificate;
  readonly anchor: boolean;
}

/** How much a fault tells: one on the way to an accepted authority is the one to report. */
const weights = { deadEnd: 1, intermediate: 2, exhausted: 3, anchor: 4 } as const;

const keyOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** Searches once; what it learned is thrown away. */
export class PathSearch {
  readonly #demands: Demands;
  readonly #anchors = new Map<string, Candidate>();
  readonly #bySubject = new Map<string, Candidate[]>();
  readonly #signatures = new Map<Certificate, Map<Certificate, boolean>>();
  #signaturesLeft = SIGNATURES_MAX;
  #stepsLeft = STEPS_MAX;
  readonly #comparisons = comparisonBudget();
  #worst: { fault: ChainFault; weight: number } | undefined;

  constructor(
    intermediates: readonly Certificate[],
    anchors: readonly Certificate[],
    demands: Demands,
  ) {
    this.#demands = demands;
    const seen = new Set<string>();
    const add = (certificate: Certificate, anchor: boolean) => {
      const der = keyOf(certificate.der);
      if (seen.has(der)) return;
      seen.add(der);
      const candidate = { certificate, anchor };
      if (anchor) this.#anchors.set(der, candidate);
      const subject = keyOf(certificate.subject.der);
      const same = this.#bySubject.get(subject);
      if (same) same.push(candidate);
      else this.#bySubject.set(subject, [candidate]);
    };
    for (const certificate of anchors) add(certificate, true);
    for (const certificate of intermediates) add(certificate, false);
  }

  /** The first path on which nothing is wrong, or the fault that tells most. */
  async run(leaf: Certificate): Promise<ChainVerdict> {
    const anchor = this.#anchors.has(keyOf(leaf.der));
    const fault = faultOf(leaf, this.#demands, { role: "leaf", anchor, below: 0 });
    if (fault !== undefined) return { valid: false, ...fault };
    const chain = anchor ? [leaf] : await this.#extend([leaf], leaf, 0);
    if (chain !== undefined) return { valid: true, chain };
    return { valid: false, ...(this.#worst?.fault ?? deadEnd(leaf, [])) };
  }

  /** Goes on from `subject`, the last of `path`. */
  async #extend(
    path: readonly Certificate[],
    subject: Certificate,
    below: number,
  ): Promise<Certificate[] | undefined> {
    const candidates = this.#issuersOf(subject);
    let known = false;
    for (const { certificate: issuer, anchor } of candidates) {
      if (!anchor && path.some((member) => isSameAuthority(member, issuer))) continue;
      if (!(await this.#isSigned(subject, issuer))) continue;
      known = true;
      const longer = [...path, issuer];
      const fault =
        faultOf(issuer, this.#demands, { role: "authority", anchor, below }) ??
        (anchor ? constraintFault(longer, this.#comparisons) : undefined);
      if (fault !== undefined) this.#note(fault, anchor ? weights.anchor : weights.intermediate);
      else if (anchor) return longer;
      else {
        const chain = await this.#extend(longer, issuer, below + (isSelfIssued(issuer) ? 0 : 1));
        if (chain !== undefined) return chain;
      }
    }
    if (!known) this.#note(deadEnd(subject, candidates), weights.deadEnd);
    return undefined;
  }

  /** Who may have signed: key identifiers only say who is asked first. Accepted ones go before. */
  #issuersOf(subject: Certificate): Candidate[] {
    const candidates = this.#bySubject.get(keyOf(subject.issuer.der)) ?? [];
    const order = ({ certificate, anchor }: Candidate) =>
      2 * keyIdOrder(subject, certificate) + (anchor ? 0 : 1);
    return [...candidates].sort((a, b) => order(a) - order(b));
  }

  async #isSigned(subject: Certificate, issuer: Certificate): Promise<boolean> {
    let answers = this.#signatures.get(subject);
    if (answers === undefined)
      this.#signatures.set(subject, (answers = new Map<Certificate, boolean>()));
    const known = answers.get(issuer);
    if (--this.#stepsLeft < 0 || (known === undefined && --this.#signaturesLeft < 0)) {
      this.#note(exhausted(subject), weights.exhausted);
      return false;
    }
    const answer = known ?? (await signedBy(subject, issuer));
    answers.set(issuer, answer);
    return answer;
  }

  /** Of faults that tell as much, the first one stays. */
  #note(fault: ChainFault, weight: number): void {
    if (weight > (this.#worst?.weight ?? 0)) this.#worst = { fault, weight };
  }
}

/** Name and key are the same: going there again leads nowhere new. */
const isSameAuthority = (a: Certificate, b: Certificate): boolean =>
  sameName(a.subject, b.subject) && sameKey(a.publicKey, b.publicKey);

function keyIdOrder({ authorityKeyId }: Certificate, { subjectKeyId }: Certificate): number {
  if (authorityKeyId === undefined || subjectKeyId === undefined) return 1;
  return Buffer.compare(authorityKeyId, subjectKeyId) === 0 ? 0 : 2;
}

function deadEnd(certificate: Certificate, namesakes: readonly Candidate[]): ChainFault {
  const name = formatName(certificate.issuer);
  const issuer = name === "" ? "an authority without a name" : `"${name}"`;
  const accepted = namesakes.filter(({ anchor }) => anchor);
  const why =
    accepted.length === 0
      ? "none of that name is accepted"
      : `of that name are accepted, but did not sign it: ${accepted
          .slice(0, NAMESAKES_SHOWN)
          .map(({ certificate: { serialNumber } }) => `serial ${serialHex(serialNumber)}`)
          .join(", ")}`;
  return {
    code: "ERR_CHAIN_UNKNOWN_AUTHORITY",
    reason: `${describe(certificate)}, ${validity(certificate)}, is signed by unknown authority: its issuer is ${issuer}, and ${why}`,
  };
}

const NAMESAKES_SHOWN = 4;

const exhausted = (certificate: Certificate): ChainFault => ({
  code: "ERR_CHAIN_TOO_COMPLEX",
  reason:
    `too many authorities could have signed ${describe(certificate)}: the search ended after ` +
    `${SIGNATURES_MAX} signatures or ${STEPS_MAX} steps`,
});
