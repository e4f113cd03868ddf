/** Patches as the command line gives them (talos-pki.md §4.5). */
import { readConfigPatch, type ConfigPatch } from "#config";
import { readInput } from "./files.ts";
import type { Io } from "./io.ts";

/**
 * Reads patches: `@FILE`, or the text of one. A value that no patch can be, without a space or a line
 * feed and without a bracket at its start, is a file's name too.
 *
 * @throws {FileAccessError} {@link ConfigParseError} {@link ConfigPatchError} naming the patch
 */
export const readPatches = (io: Io, values: readonly string[]): Promise<ConfigPatch[]> =>
  Promise.all(
    values.map(async (value, index) => {
      const file = fileOf(value);
      return file === undefined
        ? readConfigPatch(value, values.length === 1 ? "the patch" : `patch ${index + 1}`)
        : readConfigPatch(await readInput(io, file), file);
    }),
  );

function fileOf(value: string): string | undefined {
  if (value.startsWith("@")) return value.slice(1);
  return /[\n ]/.test(value) || /^[[{]/.test(value) ? undefined : value;
}
