/** What differs between two configurations, by name only: the values are secrets. */
import { formatPath } from "../problem.ts";
import { type FieldPath, isRecord, type YamlValue } from "../yaml/read.ts";
import { documentId, V1ALPHA1 } from "./documents.ts";
import type { MachineConfig } from "./machine-config.ts";

/**
 * The paths of all fields that differ, sorted; a list counts as one field. Fields of documents with a
 * kind begin with it: `HostnameConfig.auto`.
 */
export function differingFields(a: MachineConfig, b: MachineConfig): string[] {
  const [left, right] = [byId(a), byId(b)];
  const ids = new Set([...left.keys(), ...right.keys()]);
  return [...ids]
    .flatMap((id) => {
      const above = id === V1ALPHA1 ? [] : [id];
      return differing(left.get(id), right.get(id), above);
    })
    .map((path) => formatPath(path))
    .sort();
}

const byId = ({ documents }: MachineConfig): Map<string, YamlValue> =>
  new Map(documents.map((document) => [documentId(document), document.value]));

function differing(
  a: YamlValue | undefined,
  b: YamlValue | undefined,
  path: FieldPath,
): FieldPath[] {
  if (isRecord(a) && isRecord(b))
    return [...new Set([...Object.keys(a), ...Object.keys(b)])].flatMap((key) =>
      differing(a[key], b[key], [...path, key]),
    );
  if (a === undefined || b === undefined) {
    const only = a ?? b;
    if (path.length === 0 && isRecord(only)) return Object.keys(only).map((key) => [key]);
    return a === b ? [] : [path];
  }
  return canonical(a) === canonical(b) ? [] : [path];
}

/** Equal for equal values, whatever the order of their keys. */
const canonical = (value: YamlValue): string =>
  JSON.stringify(value, (_key, held: unknown) =>
    typeof held === "object" && held !== null && !Array.isArray(held)
      ? Object.fromEntries(Object.entries(held).sort(([x], [y]) => (x < y ? -1 : 1)))
      : held,
  );
