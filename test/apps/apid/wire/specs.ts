/**
 * What talosctl makes of a resource: `proto_spec` by field numbers, `yaml_spec` by a reader of YAML
 * that knows timestamps, octal numbers and the other traps of go-yaml (talosctl-wire.md §3.3, §4).
 */
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { parse } from "yaml";
import { expect } from "vitest";
import type { Resource } from "../../../../src/runtime/rpc/gen/v1alpha1/resource.ts";

/** The fields of a message by their number, in the order in which they come. */
export type Fields = ReadonlyMap<number, readonly (Uint8Array | number)[]>;

/** Reads a message without knowing it. */
export function fieldsOf(bytes: Uint8Array): Fields {
  const fields = new Map<number, (Uint8Array | number)[]>();
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    const value = wireType === WireType.Varint ? Number(reader.int64()) : reader.bytes();
    fields.set(field, [...(fields.get(field) ?? []), value]);
  }
  return fields;
}

const textOf = (value: Uint8Array | number | undefined): string =>
  typeof value === "object" ? Buffer.from(value).toString() : "";

/** A text in a message; empty where it is not set. */
export const text = (fields: Fields, field: number): string => textOf(fields.get(field)?.at(-1));
/** All texts of a field. */
export const texts = (fields: Fields, field: number): string[] =>
  (fields.get(field) ?? []).map(textOf);
/** A number, or an enum; 0 where it is not set. */
export const number = (fields: Fields, field: number): number =>
  Number(fields.get(field)?.at(-1) ?? 0);
/** The messages of a field. */
export const messages = (fields: Fields, field: number): Fields[] =>
  (fields.get(field) ?? []).map((value) => fieldsOf(value as Uint8Array));

/** What `get` knows of a kind. */
export interface Definition {
  readonly id: string;
  readonly type: string;
  readonly displayType: string;
  readonly defaultNamespace: string;
  readonly aliases: readonly string[];
  readonly allAliases: readonly string[];
  readonly printColumns: readonly { readonly name: string; readonly jsonPath: string }[];
  readonly isSensitive: boolean;
}

/** Decodes `ResourceDefinitionSpec`, from which alone the kinds are known. */
export function definitionOf({ metadata, spec }: Resource): Definition {
  const fields = fieldsOf(spec?.protoSpec ?? Buffer.alloc(0));
  return {
    id: metadata?.id ?? "",
    type: text(fields, 1),
    displayType: text(fields, 2),
    defaultNamespace: text(fields, 3),
    aliases: texts(fields, 4),
    allAliases: texts(fields, 5),
    printColumns: messages(fields, 6).map((column) => ({
      name: text(column, 1),
      jsonPath: text(column, 2),
    })),
    isSensitive: number(fields, 7) === 1,
  };
}

/** The kinds that a word of the command line stands for: one, or the command fails. */
export const matching = (definitions: readonly Definition[], word: string): Definition[] =>
  definitions.filter(({ id, allAliases }) =>
    [id, ...allAliases].some((name) => name.toLowerCase() === word.toLowerCase()),
  );

/** A text as go-yaml reads it into a value of no type. */
export const goValue = (yaml: string): unknown => parse(yaml, { schema: "yaml-1.1" }) as unknown;

/** Everything in a value that is neither a list nor a mapping. */
export const leavesOf = (value: unknown): unknown[] =>
  typeof value === "object" && value !== null && !(value instanceof Date)
    ? Object.values(value).flatMap(leavesOf)
    : [value];

/** Holds a resource to what each writer of `get` demands; what it finds is named. */
export function expectPrintable(resource: Resource | undefined): asserts resource is Resource {
  const { metadata, spec } = resource ?? {};
  const name = `${metadata?.type}/${metadata?.id}`;
  expect(metadata, "metadata is missing").toBeDefined();
  expect(spec, `${name}: spec is missing`).toBeDefined();
  expect(metadata?.version, name).toMatch(/^(?:[0-9]+|undefined)$/);
  expect(metadata?.phase, name).toMatch(/^(?:running|tearingDown)$/);
  expect(metadata?.created, name).toBeInstanceOf(Date);
  expect(metadata?.updated, name).toBeInstanceOf(Date);
  expect(spec?.yamlSpec, `${name}: YAML spec is not specified`).not.toBe("");
  const dates = leavesOf(goValue(spec?.yamlSpec ?? "")).filter((leaf) => leaf instanceof Date);
  expect(dates, `${name}: timestamps without quotes`).toEqual([]);
  // `-o json` reads these again, unquoted.
  for (const scalar of [
    metadata?.id,
    metadata?.namespace,
    ...Object.values(metadata?.labels ?? {}),
  ])
    expect(goValue(scalar ?? ""), name).toBe(scalar);
}
