/** What a configuration would change, as a unified diff that shows no secret. */
import { structuredPatch } from "diff";
import { isTypedMap, readTypedYaml, type TypedMap, YamlError } from "../yaml/read.ts";
import { writeYamlDocuments } from "../yaml/write.ts";
import { replaceSecrets, secretValues } from "./secret-values.ts";

/** Beyond so many changed lines nobody reads a diff, and making it takes long. */
const CHANGED_LINES_MAX = 4000;

/**
 * Compares two texts by what they hold: both are written anew first, so that comments and layout do
 * not count. A secret that differs is told to differ.
 *
 * @returns a unified diff; empty when nothing differs, or when too much does
 */
export function configurationDiff(before: string, after: string): string {
  const [left, right] = [documentsOf(before), documentsOf(after)];
  const [old, fresh] = [secretsOf(left), secretsOf(right)];
  const patch = structuredPatch(
    "",
    "",
    shown(left, (text) => (fresh.has(text) ? HIDDEN : `${HIDDEN} (before)`)),
    shown(right, (text) => (old.has(text) ? HIDDEN : `${HIDDEN} (after)`)),
    undefined,
    undefined,
    { context: 3, maxEditLength: CHANGED_LINES_MAX },
  );
  const hunks = patch?.hunks ?? [];
  if (hunks.length === 0) return "";
  const lines = hunks.flatMap(({ oldStart, oldLines, newStart, newLines, lines }) => [
    `@@ -${oldStart},${oldLines} +${newStart},${newLines} @@`,
    ...lines,
  ]);
  return ["--- in force", "+++ applied", ...lines, ""].join("\n");
}

const HIDDEN = "<hidden>";

/** None for a stored text that cannot be read any more. */
function documentsOf(text: string): readonly TypedMap[] {
  try {
    return readTypedYaml(text).filter(isTypedMap);
  } catch (error) {
    if (error instanceof YamlError) return [];
    throw error;
  }
}

const secretsOf = (documents: readonly TypedMap[]): ReadonlySet<string> =>
  new Set(documents.flatMap((document) => [...secretValues(document)]));

const shown = (documents: readonly TypedMap[], hide: (text: string) => string): string =>
  writeYamlDocuments(documents.map((document) => replaceSecrets(document, hide)));
