import { afterAll, describe, expect, test } from "vitest";
import { decided, limboCases, verdictOf } from "./limbo.ts";
import { refusals } from "./limbo-refusals.ts";
import { skips } from "./limbo-skips.ts";

/** Obligations of issuers: only `strict` asks for them. */
const isProfile = (id: string) => refusals[id]?.[0] === "ERR_CHAIN_PROFILE";
const printed = ({ valid, ...rest }: { valid: boolean; code?: string; reason?: string }) =>
  valid ? "valid" : `${rest.code}: ${rest.reason}`;

describe("x509-limbo", () => {
  test.each(decided)("$id: $expected_result", async (limbo) => {
    const strict = limbo.id.startsWith("rfc5280::") || isProfile(limbo.id);
    const verdict = await verdictOf(limbo, { strict });
    const [code, words] = refusals[limbo.id] ?? [];
    if (limbo.expected_result === "SUCCESS") {
      expect(printed(verdict)).toBe("valid");
      expect(code).toBeUndefined();
    } else {
      expect(verdict).toMatchObject({ valid: false, code });
      expect(printed(verdict)).toContain(words);
    }
  });

  test.each(decided.filter(({ id }) => id.startsWith("rfc5280::")))(
    "$id has the same result where only path validation is asked for",
    async (limbo) => {
      const verdict = await verdictOf(limbo, { strict: false });
      expect(verdict.valid).toBe(limbo.expected_result === "SUCCESS" || looser(limbo.id));
    },
  );

  const looser = (id: string) => isProfile(id) && !refusedAnyway.includes(id);
  /** Profile faults that path validation trips over by other means. */
  const refusedAnyway = ["rfc5280::ee-empty-issuer", "rfc5280::nc::nc-permits-invalid-dns-san"];

  const byConstraint = decided.filter(
    ({ id, expected_result }) =>
      expected_result === "FAILURE" &&
      refusals[id]?.[0] === "ERR_CHAIN_NAME_MISMATCH" &&
      (id.startsWith("rfc5280::nc::") || id.includes("nc-dos")),
  );
  test.each(byConstraint)(
    "$id is refused for its constraint, whoever is asked for",
    async (limbo) => {
      const verdict = await verdictOf(limbo, { strict: false, anyHost: true });
      const code = limbo.id.includes("nc-dos")
        ? "ERR_CHAIN_TOO_COMPLEX"
        : "ERR_CHAIN_NAME_CONSTRAINTS";
      expect(verdict).toMatchObject({ valid: false, code });
    },
  );

  test("each case is run or skipped for one reason, and nothing else is named", () => {
    const ids = new Set(limboCases.map(({ id }) => id));
    const skipped = skips.flatMap((skip) => skip.ids);
    expect([...skipped, ...Object.keys(refusals)].filter((id) => !ids.has(id))).toEqual([]);
    expect(new Set(skipped).size).toBe(skipped.length);
    expect(decided.length + skipped.length).toBe(limboCases.length);
    expect(byConstraint.length).toBe(6);
  });

  afterAll(() => {
    const lines = skips.map(({ reason, ids }) => `  ${ids.length} skipped: ${reason}`);
    console.info(
      [`x509-limbo: ${decided.length} of ${limboCases.length} run`, ...lines].join("\n"),
    );
  });
});
