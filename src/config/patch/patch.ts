/** Patches of a configuration, in both forms that Talos takes (talos-pki.md §4.5). */
import { ConfigParseError, ConfigPatchError } from "../errors.ts";
import { parseDocuments } from "../machine/documents.ts";
import { isTypedMap, readTypedYaml, type TypedMap } from "../yaml/read.ts";
import { writeYamlDocuments } from "../yaml/write.ts";
import { applyJsonPatch, isOperations, type JsonPatch, readJsonPatch } from "./json-patch.ts";
import { applyStrategicMerge, readStrategicMerge, type StrategicMerge } from "./strategic-merge.ts";

/** A patch that was read, and can be applied to any number of configurations. */
export type ConfigPatch = StrategicMerge | JsonPatch;

/**
 * Reads a patch: documents are a strategic merge, a list is a JSON patch, in JSON or in YAML.
 *
 * @param source names the patch in errors
 * @throws {ConfigParseError} {@link UnknownDocumentError} {@link ConfigPatchError}
 */
export function readConfigPatch(text: string, source = "the patch"): ConfigPatch {
  const documents = parseDocuments(text, source);
  const typed = readTypedYaml(text);
  if (documents.length === 0) throw new ConfigPatchError(`${source}: is empty`);
  if (isOperations(typed)) return readJsonPatch(typed[0], source);
  return readStrategicMerge(documents, typed, source);
}

/**
 * Applies patches, one after the other.
 *
 * @returns the configuration, written anew: comments are gone, the order of fields is kept
 * @throws {ConfigPatchError} when one does not apply; {@link ConfigParseError} when the text is no YAML
 */
export function applyConfigPatches(
  text: string,
  patches: readonly ConfigPatch[],
  source = "the configuration",
): string {
  parseDocuments(text, source); // its errors say where
  const documents = readTypedYaml(text).map((document): TypedMap => {
    if (isTypedMap(document)) return document;
    throw new ConfigParseError(`${source}: a document of a configuration is a mapping`);
  });
  const patched = patches.reduce<readonly TypedMap[]>(
    (held, patch) =>
      patch.form === "json-patch" ? applyJsonPatch(held, patch) : applyStrategicMerge(held, patch),
    documents,
  );
  return writeYamlDocuments(patched);
}
