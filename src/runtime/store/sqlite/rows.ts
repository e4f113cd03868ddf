/** Resources as rows and back. What comes from disk is checked: the file may be damaged. */
import type { Metadata, Resource } from "../../resource.ts";
import { freezeJson } from "../json-value.ts";
import type { Column } from "./database.ts";

/** The columns of `resources`, in the order of the table. */
export function columnsOf({ metadata }: Resource, spec: string): readonly Column[] {
  const { namespace, type, id, version, created, updated, phase, owner } = metadata;
  const labels = JSON.stringify(metadata.labels);
  const annotations = JSON.stringify(metadata.annotations);
  const finalizers = JSON.stringify(metadata.finalizers);
  return [
    ...[namespace, type, id, version, created, updated, phase, owner],
    ...[labels, annotations, finalizers, spec],
  ];
}

/** A whole resource as text, around the text of its spec. */
export const textOf = ({ metadata }: Resource, spec: string): string =>
  `{"metadata":${JSON.stringify(metadata)},"spec":${spec}}`;

/**
 * Reads a row of `resources`.
 *
 * @throws {Error} that says what is wrong with the row
 */
export function resourceOfRow(row: Readonly<Record<string, Column>>): Resource {
  const json = (column: string): unknown => {
    try {
      return JSON.parse(String(row[column]));
    } catch {
      throw new Error(`${column} is not JSON`);
    }
  };
  const { spec, labels, annotations, finalizers, ...plain } = {
    ...row,
    labels: json("labels"),
    annotations: json("annotations"),
    finalizers: json("finalizers"),
    spec: json("spec"),
  };
  return checked({ ...plain, labels, annotations, finalizers }, spec);
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

type Check = (value: unknown) => boolean;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isText: Check = (value) => typeof value === "string";
const isInstant: Check = (value) => Number.isSafeInteger(value);
const isMap: Check = (value) => isObject(value) && Object.values(value).every(isText);

const checks: Readonly<Record<keyof Metadata, Check>> = {
  namespace: isText,
  type: isText,
  id: isText,
  version: (value) => Number.isSafeInteger(value) && Number(value) > 0,
  owner: isText,
  phase: (value) => value === "running" || value === "tearingDown",
  created: isInstant,
  updated: isInstant,
  labels: isMap,
  annotations: isMap,
  finalizers: (value) => Array.isArray(value) && value.every(isText),
};

function checked(fields: Readonly<Record<string, unknown>>, spec: unknown): Resource {
  const metadata: Record<string, unknown> = {};
  for (const [name, fits] of Object.entries(checks)) {
    if (!fits(fields[name])) throw new Error(`${name} is not valid`);
    metadata[name] = fields[name];
  }
  if (spec === undefined) throw new Error("spec is missing");
  const resource = { metadata, spec } as unknown as Resource;
  freezeJson(resource);
  return resource;
}
