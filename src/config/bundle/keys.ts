/** The casing of JSON, which the documentation of Talos shows, and the lower case that Talos reads. */
import {
  type FieldPath,
  isRecord,
  type YamlDocument,
  type YamlMap,
  type YamlValue,
} from "../yaml/read.ts";

/** A document whose keys are lower-case, whatever they are in the file. */
export interface Folded {
  readonly value: YamlMap;
  readonly positionOf: YamlDocument["positionOf"];
  /** The first key that is not lower-case in the file. */
  readonly written?: { readonly path: FieldPath; readonly found: string; readonly wanted: string };
}

/** Reads keys without regard to case; a lower-case one wins over another spelling of it. */
export function withLowerCaseKeys(document: YamlDocument): Folded | undefined {
  if (!isRecord(document.value)) return undefined;
  const value = document.value;
  const written = firstOther(value, []);
  return {
    value: fold(value) as YamlMap,
    positionOf: (path) => document.positionOf(asWritten(value, path)),
    ...(written && { written }),
  };
}

const isLower = (key: string) => key === key.toLowerCase();

function fold(value: YamlValue): YamlValue {
  if (!isRecord(value)) return value;
  const entries = Object.entries(value).sort(([a], [b]) => Number(isLower(a)) - Number(isLower(b)));
  return Object.fromEntries(entries.map(([key, held]) => [key.toLowerCase(), fold(held)]));
}

function firstOther(map: YamlMap, above: FieldPath): Folded["written"] {
  for (const [key, value] of Object.entries(map)) {
    const path = [...above, key.toLowerCase()];
    if (!isLower(key)) return { path, found: key, wanted: key.toLowerCase() };
    const below = isRecord(value) ? firstOther(value, path) : undefined;
    if (below) return below;
  }
  return undefined;
}

function asWritten(root: YamlMap, path: FieldPath): FieldPath {
  let map: YamlValue | undefined = root;
  return path.map((step) => {
    if (!isRecord(map)) return step;
    const keys: string[] = Object.keys(map);
    const key = keys.find((it) => it === step) ?? keys.find((it) => it.toLowerCase() === step);
    map = map[key ?? step];
    return key ?? step;
  });
}
