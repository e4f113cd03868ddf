/** Resources as rows and back. What comes from disk is checked: the file may be damaged. */
import type { Instant } from "../../instant.ts";
import type { Resource } from "../../resource.ts";
import { freezeJson } from "../json-value.ts";
import { metadataOf } from "../metadata.ts";
import type { Row, Column } from "./database.ts";

/** The columns of `resources`, in the order of the table. */
export function columnsOf(
  { metadata }: Resource,
  spec: string,
  schemaVersion: number,
): readonly Column[] {
  const { namespace, type, id, version, created, updated, phase, owner } = metadata;
  const labels = JSON.stringify(metadata.labels);
  const annotations = JSON.stringify(metadata.annotations);
  const finalizers = JSON.stringify(metadata.finalizers);
  return [
    ...[namespace, type, id, version, created, updated, phase, owner],
    ...[labels, annotations, finalizers, spec, schemaVersion],
  ];
}

/** A whole resource as text, around the text of its spec. */
export const textOf = ({ metadata }: Resource, spec: string): string =>
  `{"metadata":${JSON.stringify(metadata)},"spec":${spec}}`;

/**
 * Reads a row of `resources`; the spec is frozen and otherwise as it was written.
 *
 * @throws {Error} that says what is wrong with the row, and not what is in it
 */
export function resourceOfRow(row: Row): Resource {
  const json = (column: string): unknown => {
    try {
      return JSON.parse(String(row[column]));
    } catch {
      throw new Error(`${column} is not JSON`);
    }
  };
  const [labels, annotations] = [json("labels"), json("annotations")];
  return checked({ ...row, labels, annotations, finalizers: json("finalizers") }, json("spec"));
}

/**
 * Reads what {@link textOf} wrote.
 *
 * @throws {Error} that says what is wrong with the text
 */
export function resourceOfText(text: string): Resource {
  const resource: unknown = JSON.parse(text);
  if (!isObject(resource) || !isObject(resource.metadata)) throw new Error("is not a resource");
  return checked(resource.metadata, resource.spec);
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isText = (value: unknown): value is string => typeof value === "string";
const isInstant = (value: unknown): value is Instant => Number.isSafeInteger(value);
const isVersion = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) > 0;
const isPhase = (value: unknown): value is "running" | "tearingDown" =>
  value === "running" || value === "tearingDown";
const isMap = (value: unknown): value is Record<string, string> =>
  isObject(value) && Object.values(value).every(isText);
const isList = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText);

function checked(fields: Readonly<Record<string, unknown>>, spec: unknown): Resource {
  const field = <T>(name: string, fits: (value: unknown) => value is T): T => {
    const value = fields[name];
    if (!fits(value)) throw new Error(`${name} is not valid`);
    return value;
  };
  const metadata = metadataOf(
    { namespace: field("namespace", isText), type: field("type", isText), id: field("id", isText) },
    {
      version: field("version", isVersion),
      owner: field("owner", isText),
      created: field("created", isInstant),
      updated: field("updated", isInstant),
    },
    {
      phase: field("phase", isPhase),
      labels: field("labels", isMap),
      annotations: field("annotations", isMap),
      finalizers: field("finalizers", isList),
    },
  );
  if (spec === undefined) throw new Error("spec is missing");
  freezeJson(spec);
  return Object.freeze({ metadata, spec });
}
