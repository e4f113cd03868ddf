/** The protobuf messages of package `cosi.resource.meta` (cosi.md §1.6). */

const LENGTH_DELIMITED = 2;
const VARINT = 0;
const utf8 = new TextEncoder();

type Bytes = readonly number[];

function varint(value: number): Bytes {
  const low = value % 128;
  return value < 128 ? [low] : [low + 128, ...varint(Math.floor(value / 128))];
}

const bytesField = (field: number, bytes: Uint8Array | Bytes): Bytes => [
  ...varint(field * 8 + LENGTH_DELIMITED),
  ...varint(bytes.length),
  ...bytes,
];

/** An empty text is the default, and left out. */
const textField = (field: number, text: string): Bytes =>
  text === "" ? [] : bytesField(field, utf8.encode(text));

/** An element is there even if it is empty. */
const textFields = (field: number, texts: readonly string[]): Bytes =>
  texts.flatMap((text) => bytesField(field, utf8.encode(text)));

/** Encodes a `NamespaceSpec`. */
export const namespaceSpec = ({ description }: { readonly description: string }): Uint8Array =>
  Uint8Array.from(textField(1, description));

/** The part of a definition that is on the wire. */
export interface DefinitionMessage {
  readonly type: string;
  readonly displayType: string;
  readonly defaultNamespace: string;
  readonly aliases: readonly string[];
  readonly allAliases: readonly string[];
  readonly printColumns: readonly { readonly name: string; readonly jsonPath: string }[];
  readonly sensitivity?: string | undefined;
}

/** Encodes a `ResourceDefinitionSpec`. */
export const resourceDefinitionSpec = (spec: DefinitionMessage): Uint8Array =>
  Uint8Array.from([
    ...textField(1, spec.type),
    ...textField(2, spec.displayType),
    ...textField(3, spec.defaultNamespace),
    ...textFields(4, spec.aliases),
    ...textFields(5, spec.allAliases),
    ...spec.printColumns.flatMap(({ name, jsonPath }) =>
      bytesField(6, [...textField(1, name), ...textField(2, jsonPath)]),
    ),
    ...(spec.sensitivity === "sensitive" ? [...varint(7 * 8 + VARINT), 1] : []),
  ]);
