/** What stands against a request. */

/** The rules by which requests are admitted. */
export type Rule =
  "token" | "bounds" | "names of others" | "strict join" | "proof of the member" | "membership";

/** The rule that refuses, the field that it looked at, and what is wrong with that and to be done. */
export interface Objection {
  readonly rule: Rule;
  readonly field: string;
  readonly problem: string;
}

/** The first objection there is; the later ones are not looked for. */
export function firstObjection(
  ...looks: readonly (() => Objection | undefined)[]
): Objection | undefined {
  for (const look of looks) {
    const found = look();
    if (found !== undefined) return found;
  }
  return undefined;
}
