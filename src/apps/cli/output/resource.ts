/**
 * A resource in the three shapes of `get`. The spec comes from the wire as YAML text, and its style
 * is kept (cosi.md §1.4, talosctl-wire.md §4.3–4.5).
 */
import { Document, Pair, parse, parseDocument, Scalar, YAMLMap, YAMLSeq } from "yaml";
import { compareUtf8, rfc3339 } from "#runtime";
import type { RemoteMetadata, RemoteResource } from "../../client/index.ts";
import { SpecParseError } from "./errors.ts";
import { formatJson } from "./json.ts";
import { cellOf, parseJsonPath, resultsOf, type JsonPath } from "./json-path.ts";

/** What of a resource is printed. */
export type Printable = Pick<RemoteResource, "metadata" | "yamlSpec">;

/** What `get` says about a resource beside the resource itself. */
export interface Heading {
  readonly node: string;
  /** Only while watching. */
  readonly event?: "created" | "updated" | "destroyed";
}

/**
 * The resource as one YAML document, spec styles kept, without a document marker.
 *
 * @throws {SpecParseError} when the spec is empty or not YAML
 */
export function resourceYaml(heading: Heading, { metadata, yamlSpec }: Printable): string {
  // Without the tags of a schema every scalar is text, so nothing is ever quoted or rewritten
  // because it looks like a number, a boolean or a date.
  const spec = parseDocument(readable(metadata, yamlSpec), { schema: "failsafe" });
  if (spec.errors[0] !== undefined) throw new SpecParseError(metadata, spec.errors[0]);
  const document = new Document(undefined, { schema: "failsafe" });
  document.contents = mapping([
    ...Object.entries(heading).map(([key, value]) => [key, plain(String(value))] as const),
    ["metadata", metadataNode(metadata)],
    ["spec", spec.contents ?? plain("")],
  ]);
  return document.toString({
    indent: 4,
    lineWidth: 0,
    singleQuote: true,
    flowCollectionPadding: false,
  });
}

/** The resource as one JSON object; a version is a number, no owner is null, an id stays a string. */
export const resourceJson = (heading: Heading, resource: Printable): string =>
  formatJson(resourceObject(heading, resource));

/**
 * What a template finds in that object, a line for each result; what is not there is an error.
 *
 * @throws {JsonPathError}
 */
export const resourcePath = (path: JsonPath, heading: Heading, resource: Printable): string =>
  resultsOf(path, resourceObject(heading, resource))
    .map((result) => `${result}\n`)
    .join("");

function resourceObject(heading: Heading, resource: Printable): object {
  const { metadata } = resource;
  const { labels, annotations, finalizers } = metadata;
  return {
    ...heading,
    metadata: {
      ...Object.fromEntries(scalars(metadata)),
      version: /^\d+$/.test(metadata.version) ? Number(metadata.version) : metadata.version,
      owner: metadata.owner === "" ? null : metadata.owner,
      ...(Object.keys(labels).length > 0 && { labels }),
      ...(Object.keys(annotations).length > 0 && { annotations }),
      ...(finalizers.length > 0 && { finalizers }),
    },
    spec: specValue(resource),
  };
}

/**
 * The cells of the print columns, in their order.
 *
 * @throws {JsonPathError} when a column does not fit the spec
 */
export function columnCells(resource: Printable, jsonPaths: readonly string[]): string[] {
  const spec = specValue(resource);
  return jsonPaths.map((jsonPath) => cellOf(parseJsonPath(jsonPath), spec));
}

function specValue({ metadata, yamlSpec }: Printable): unknown {
  try {
    return parse(readable(metadata, yamlSpec));
  } catch (cause) {
    throw new SpecParseError(metadata, cause);
  }
}

function readable(metadata: RemoteMetadata, yamlSpec: string): string {
  if (yamlSpec === "") throw new SpecParseError(metadata, new Error("YAML spec is not specified"));
  return yamlSpec;
}

const scalars = (metadata: RemoteMetadata): [string, string][] => [
  ["namespace", metadata.namespace],
  ["type", metadata.type],
  ["id", metadata.id],
  ["version", metadata.version],
  ["owner", metadata.owner],
  ["phase", metadata.phase],
  ["created", rfc3339(metadata.created)],
  ["updated", rfc3339(metadata.updated)],
];

function metadataNode(metadata: RemoteMetadata): YAMLMap {
  const { labels, annotations, finalizers } = metadata;
  const node = mapping(scalars(metadata).map(([key, value]) => [key, plain(value)]));
  for (const [key, texts] of Object.entries({ labels, annotations }))
    if (Object.keys(texts).length > 0) node.items.push(new Pair(plain(key), sortedTexts(texts)));
  if (finalizers.length > 0) {
    const list = new YAMLSeq();
    list.items = finalizers.map(plain);
    node.items.push(new Pair(plain("finalizers"), list));
  }
  return node;
}

const sortedTexts = (texts: Readonly<Record<string, string>>): YAMLMap =>
  mapping(
    Object.entries(texts)
      .sort(([left], [right]) => compareUtf8(left, right))
      .map(([key, value]) => [key, plain(value)]),
  );

function mapping(entries: Iterable<readonly [string, unknown]>): YAMLMap {
  const map = new YAMLMap();
  for (const [key, value] of entries) map.items.push(new Pair(plain(key), value));
  return map;
}

function plain(value: string): Scalar<string> {
  const scalar = new Scalar(value);
  scalar.type = value.includes("\n") ? Scalar.BLOCK_LITERAL : Scalar.PLAIN;
  return scalar;
}
