/** The documents of a configuration: read, told apart, and each of a shape that can be worked with. */
import type { z } from "zod";
import { ConfigParseError, DuplicateDocumentError, UnknownDocumentError } from "../errors.ts";
import { formatPath } from "../problem.ts";
import {
  type FieldPath,
  isRecord,
  readYaml,
  YamlError,
  type YamlDocument,
  type YamlMap,
} from "../yaml/read.ts";
import { kinds, nearestKind } from "./kinds.ts";
import { documentSchemas, type ReadKind, v1alpha1, type V1Alpha1 } from "./schema.ts";

/** One document. */
export interface ConfigDocument {
  /** `v1alpha1` for the document without a kind. */
  readonly kind: string;
  /** Tells documents of one kind apart; most kinds have none. */
  readonly name: string;
  /** Every field as it stands in the file. */
  readonly value: YamlMap;
  /** The fields that are looked at, typed; of kinds that are not looked into, the value. */
  readonly content: unknown;
  positionOf: YamlDocument["positionOf"];
}

/** The kind of the document without a kind. */
export const V1ALPHA1 = "v1alpha1";

/**
 * Reads the documents of a configuration.
 *
 * @throws {ConfigParseError} {@link UnknownDocumentError} {@link DuplicateDocumentError}
 */
export function readDocuments(text: string, source: string): ConfigDocument[] {
  const documents = parseDocuments(text, source).map((each) => checkDocument(each, source));
  if (documents.length === 0) throw new ConfigParseError(`${source}: holds no configuration`);
  const seen = new Map<string, ConfigDocument>();
  for (const document of documents) {
    const id = documentId(document);
    const first = seen.get(id);
    if (first !== undefined)
      throw new DuplicateDocumentError(
        `${source}:${document.positionOf([]).line}: duplicate document: ${id}; ` +
          `the first one is at line ${first.positionOf([]).line}`,
      );
    seen.set(id, document);
  }
  return documents;
}

/** A document as it is called in messages and lists of fields. */
export const documentId = ({ kind, name }: ConfigDocument): string =>
  name === "" ? kind : `${kind}/${name}`;

/**
 * Reads YAML, whatever it holds.
 *
 * @throws {ConfigParseError} naming file, line and column
 */
export function parseDocuments(text: string, source: string): YamlDocument[] {
  try {
    return readYaml(text);
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    const { line, column } = error.position;
    throw new ConfigParseError(`${source}:${line}:${column}: ${error.message}`);
  }
}

/**
 * Finds out what a document is, and that it is of a shape that can be worked with.
 *
 * @throws {ConfigParseError} {@link UnknownDocumentError}
 */
export function checkDocument(document: YamlDocument, source: string): ConfigDocument {
  const { value } = document;
  const positionOf: YamlDocument["positionOf"] = (path) => document.positionOf(path);
  const place = (...path: string[]) => `${source}:${positionOf(path).line}`;
  if (!isRecord(value))
    throw new ConfigParseError(`${place()}: a document of a configuration is a mapping`);
  const kind = kindOf(value, place);
  const schema: z.ZodType = isReadKind(kind) ? documentSchemas[kind] : anyDocument;
  const parsed = (kind === V1ALPHA1 ? v1alpha1 : schema).safeParse(value);
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => {
      const path = issue.path as FieldPath;
      const field = [...(kind === V1ALPHA1 ? [] : [kind]), ...path];
      const { line, column } = positionOf(path);
      return `${source}:${line}:${column}: ${formatPath(field)}: ${shapeProblem(issue)}`;
    });
    throw new ConfigParseError(lines.join("\n"));
  }
  const name = typeof value.name === "string" && kind !== V1ALPHA1 ? value.name : "";
  return { kind, name, value, content: parsed.data, positionOf };
}

const isReadKind = (kind: string): kind is ReadKind => Object.hasOwn(documentSchemas, kind);

const anyDocument = { safeParse: (data: unknown) => ({ success: true, data }) } as z.ZodType;

function kindOf(value: YamlMap, place: (...path: string[]) => string): string {
  const { kind, apiVersion, version } = value;
  if (kind === undefined || kind === null) {
    if (version === V1ALPHA1) return V1ALPHA1;
    throw new UnknownDocumentError(
      version === undefined
        ? `${place()}: a document has neither kind nor version; a machine configuration begins with "version: v1alpha1"`
        : `${place("version")}: version: a machine configuration is of version v1alpha1`,
    );
  }
  if (typeof kind !== "string" || !Object.hasOwn(kinds, kind)) {
    const name = typeof kind === "string" ? JSON.stringify(kind) : "that is not a text";
    const near = typeof kind === "string" ? nearestKind(kind) : undefined;
    throw new UnknownDocumentError(
      `${place("kind")}: kind: unknown document kind ${name}` +
        (near === undefined
          ? `; known kinds: ${Object.keys(kinds).sort().join(", ")}`
          : `; did you mean ${near}?`),
    );
  }
  if (apiVersion !== V1ALPHA1)
    throw new UnknownDocumentError(
      `${place("apiVersion")}: apiVersion: ${kind} exists in version v1alpha1 only`,
    );
  return kind;
}

const shapes: Readonly<Record<string, string>> = {
  array: "is not a list",
  object: "is not a mapping",
  record: "is not a mapping",
  string: "is not a text",
};

const shapeProblem = (issue: z.core.$ZodIssue): string =>
  issue.code === "invalid_type"
    ? (shapes[issue.expected] ?? "is of the wrong type")
    : issue.message;

/** The document of a kind that is looked into, if there is one. */
export function contentOf(
  documents: readonly ConfigDocument[],
  kind: "v1alpha1",
): V1Alpha1 | undefined;
export function contentOf<K extends ReadKind>(
  documents: readonly ConfigDocument[],
  kind: K,
): z.output<(typeof documentSchemas)[K]> | undefined;
export function contentOf(documents: readonly ConfigDocument[], kind: string): unknown {
  return documents.find((document) => document.kind === kind)?.content;
}
