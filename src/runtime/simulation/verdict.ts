/** What properties answer, and what is made of it. */
import type { Verdict } from "./scenario.ts";

/** What somebody wrote cannot mean anything; unlike other errors it is no answer about what is simulated. */
export class MisuseError extends TypeError {}

/**
 * What is wrong by a verdict.
 *
 * @returns undefined for one that is none
 */
export function problemsOf(verdict: unknown): readonly string[] | boolean | undefined {
  if (typeof verdict === "boolean") return verdict;
  if (typeof verdict === "string") return [verdict];
  const isList = Array.isArray(verdict) && verdict.every((one) => typeof one === "string");
  return isList ? verdict : undefined;
}

/** Asks a property. */
export function verdictOf(
  property: string,
  ask: () => Verdict,
):
  { readonly isTrue: boolean; readonly problems: readonly string[] } | { readonly thrown: string } {
  let answer: unknown;
  try {
    answer = ask();
  } catch (error) {
    if (error instanceof MisuseError) throw error;
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { thrown: `the property itself failed: ${text}` };
  }
  const problems = problemsOf(answer);
  if (problems === undefined)
    throw new MisuseError(
      `the property ${JSON.stringify(property)} returned ${nameOf(answer)}; ` +
        "it returns true, false, or strings that say what is wrong",
    );
  if (typeof problems === "boolean") return { isTrue: problems, problems: [] };
  return { isTrue: problems.length === 0, problems };
}

const nameOf = (answer: unknown): string => {
  if (answer instanceof Promise) return "a promise";
  if (Array.isArray(answer)) return "a list of something else";
  return answer === null
    ? "null"
    : typeof answer === "undefined"
      ? "nothing"
      : `a ${typeof answer}`;
};
