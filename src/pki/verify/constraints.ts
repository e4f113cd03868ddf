/** Name constraints along a path: RFC 5280 §6.1.3 (b), (c), §6.1.4 (g). */
import type { Certificate, NameConstraints } from "../certificate.ts";
import type { GeneralName } from "../general-name.ts";
import { isSelfIssued } from "./checks.ts";
import { isAbout, isWellFormed, printName, relate } from "./subtrees.ts";
import { describe, type ChainFault } from "./verdict.ts";

/** As many comparisons as Go allows, over all paths of one verification. */
const COMPARISONS_MAX = 250_000;

/** What is left to be spent on comparisons. */
export interface ComparisonBudget {
  left: number;
}

/** The budget of one verification. */
export const comparisonBudget = (): ComparisonBudget => ({ left: COMPARISONS_MAX });

const EMAIL_ADDRESS = "1.2.840.113549.1.9.1";

/**
 * The first name in a chain that an authority above it may not certify.
 *
 * @param chain leaf first
 */
export function constraintFault(
  chain: readonly Certificate[],
  budget: ComparisonBudget,
): ChainFault | undefined {
  for (const [index, authority] of chain.entries()) {
    const { nameConstraints } = authority;
    if (index === 0 || nameConstraints === undefined) continue;
    const subtrees = [...nameConstraints.permitted, ...nameConstraints.excluded];
    const malformed = subtrees.find((base) => !isWellFormed(base));
    if (malformed !== undefined)
      return refused(authority, `has malformed name constraints: ${printName(malformed)}`);
    for (const [place, certificate] of chain.slice(0, index).entries()) {
      // Exempt: authorities that roll their key over (§6.1.3).
      if (place > 0 && isSelfIssued(certificate)) continue;
      const names = namesOf(certificate);
      budget.left -= (names.length + 1) * subtrees.length;
      if (budget.left < 0) return tooComplex(authority, certificate);
      const problem = firstOf(names, (name) => refusal(name, nameConstraints));
      if (problem !== undefined)
        return refused(certificate, `${problem} by ${describe(authority)} above it`);
    }
  }
  return undefined;
}

/** What constraints apply to: alternative names, the subject, and mail addresses in it. */
function namesOf({ subject, subjectAltNames }: Certificate): GeneralName[] {
  const { attributes } = subject;
  return [
    ...subjectAltNames,
    ...(attributes.length > 0 ? [{ kind: "directory", name: subject } as const] : []),
    ...attributes.flatMap(({ oid, value }) =>
      oid === EMAIL_ADDRESS ? [{ kind: "email", value } as const] : [],
    ),
  ];
}

function refusal(name: GeneralName, constraints: NameConstraints): string | undefined {
  const permitted = constraints.permitted.filter((base) => isAbout(base, name));
  const excluded = constraints.excluded.filter((base) => isAbout(base, name));
  for (const base of excluded) {
    const relation = relate(name, base);
    if (relation === "unreadable") return unreadable(name);
    if (relation !== "outside")
      return `has the name ${printName(name)}, which is excluded (${printName(base)})`;
  }
  const relations = permitted.map((base) => relate(name, base));
  if (relations.includes("unreadable")) return unreadable(name);
  if (relations.length === 0 || relations.includes("inside")) return undefined;
  return `has the name ${printName(name)}, which is not among those permitted`;
}

const unreadable = (name: GeneralName): string =>
  `has the name ${printName(name)}, which cannot be held against what is constrained`;

const refused = (certificate: Certificate, problem: string): ChainFault => ({
  code: "ERR_CHAIN_NAME_CONSTRAINTS",
  reason: `${describe(certificate)} ${problem}`,
});

const tooComplex = (authority: Certificate, certificate: Certificate): ChainFault => ({
  code: "ERR_CHAIN_TOO_COMPLEX",
  reason:
    `${describe(certificate)} has so many names, and ${describe(authority)} so many ` +
    `name constraints, that they are not compared (more than ${COMPARISONS_MAX} times)`,
});

function firstOf<Item, Found>(
  items: readonly Item[],
  find: (item: Item) => Found | undefined,
): Found | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
