/** A host of another member is never certified, whoever asks and with whatever token. */
import { hostKey, namesAt, type Names } from "./names.ts";
import type { Objection } from "./objection.ts";
import type { Standing } from "./standing.ts";

/**
 * Finds the first name under which another member is on record.
 *
 * @param own the id of the member that asks; undefined for one that does not say who it is
 */
export function nameOfAnother(
  names: Names,
  own: string | undefined,
  { holdersOf, nobodys }: Pick<Standing, "holdersOf" | "nobodys">,
): Objection | undefined {
  for (const { field, name } of namesAt(names)) {
    const key = hostKey(name);
    if (nobodys().has(key)) continue;
    for (const { nodeId, hostname } of holdersOf(key)) {
      if (nodeId !== "" && nodeId === own) continue;
      return {
        rule: "names of others",
        field,
        problem:
          `${JSON.stringify(name)} is on record as that of the member ${JSON.stringify(hostname)}: ` +
          "leave it out, or remove that member if it is gone",
      };
    }
  }
  return undefined;
}
