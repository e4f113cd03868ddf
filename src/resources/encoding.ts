/**
 * How specs look on the wire: protobuf by field tables, YAML with key material as base64, as Talos
 * prints it (talos-pki.md §5.1, talosctl-wire.md §3.6).
 */
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

/** Writes one field of a message; zero values are left out, as in proto3. */
type Field<Value> = (writer: BinaryWriter, value: Value) => void;
type Fields<Spec> = { readonly [K in keyof Spec]?: Field<Spec[K]> };

const utf8 = new TextEncoder();

/** Makes the encoder of a message from a table of its fields. */
export const message =
  <Spec extends object>(fields: Fields<Spec>) =>
  (spec: Spec): Uint8Array => {
    const writer = new BinaryWriter();
    for (const name of Object.keys(fields) as (keyof Spec)[]) {
      fields[name]?.(writer, spec[name]);
    }
    return writer.finish();
  };

/** A `string` field, and a `bytes` field whose value is text. */
export const text =
  (number: number): Field<string> =>
  (writer, value) => {
    if (value !== "") writer.tag(number, WireType.LengthDelimited).string(value);
  };

export const bool =
  (number: number): Field<boolean> =>
  (writer, value) => {
    if (value) writer.tag(number, WireType.Varint).bool(value);
  };

export const int =
  (number: number): Field<number> =>
  (writer, value) => {
    if (value !== 0) writer.tag(number, WireType.Varint).int64(value);
  };

/** A field that holds a message; `null` is left out. */
export const nested =
  <Spec>(number: number, encode: (spec: Spec) => Uint8Array): Field<Spec | null> =>
  (writer, value) => {
    if (value !== null) writer.tag(number, WireType.LengthDelimited).bytes(encode(value));
  };

/** A `bytes` field whose value is base64. */
export const base64Bytes =
  (number: number): Field<string> =>
  (writer, value) => {
    writer.tag(number, WireType.LengthDelimited).bytes(bytesOf(value));
  };

/** The bytes that a base64 text stands for. */
export const bytesOf = (base64: string): Uint8Array =>
  Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

export const texts =
  (number: number): Field<readonly string[]> =>
  (writer, values) => {
    for (const value of values) writer.tag(number, WireType.LengthDelimited).string(value);
  };

export const messages =
  <Spec>(number: number, encode: (spec: Spec) => Uint8Array): Field<readonly Spec[]> =>
  (writer, values) => {
    for (const value of values) writer.tag(number, WireType.LengthDelimited).bytes(encode(value));
  };

/** `common.PEMEncodedCertificateAndKey`. */
export const keyedPemMessage = message<{ readonly crt: string; readonly key: string }>({
  crt: text(1),
  key: text(2),
});
/** `common.PEMEncodedCertificate`. */
export const certificateMessage = message<{ readonly crt: string }>({ crt: text(1) });
/** `common.PEMEncodedKey`. */
export const keyMessage = message<{ readonly key: string }>({ key: text(1) });
/** `common.URL`. */
export const urlMessage = (url: string): Uint8Array =>
  message<{ url: string }>({ url: text(1) })({ url });
/** `common.NetIP`: 4 or 16 raw bytes. */
export const netIpMessage = (address: string): Uint8Array =>
  new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(addressBytes(address)).finish();

/** `common.NetIPPrefix` of one address alone. */
export const prefixMessage = (address: string): Uint8Array => {
  const raw = addressBytes(address);
  const writer = new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(raw);
  return writer
    .tag(2, WireType.Varint)
    .int32(raw.length * 8)
    .finish();
};

const addressBytes = (address: string): Uint8Array =>
  Uint8Array.from(address.includes(":") ? ipv6Bytes(address) : address.split(".").map(Number));

function ipv6Bytes(address: string): number[] {
  const [head = "", tail] = address.split("::");
  const groups = (part: string) => (part === "" ? [] : part.split(":"));
  const front = groups(head);
  const back = tail === undefined ? [] : groups(tail);
  const zeros = Array.from({ length: 8 - front.length - back.length }, () => "0");
  return [...front, ...zeros, ...back].flatMap((group) => {
    const word = Number.parseInt(group, 16);
    return [word >> 8, word & 0xff];
  });
}

/** A copy of a spec in which each `crt` and `key` is the base64 of its PEM text. */
export function withBase64Pem(spec: unknown): unknown {
  if (Array.isArray(spec)) return spec.map(withBase64Pem);
  if (typeof spec !== "object" || spec === null) return spec;
  return Object.fromEntries(
    Object.entries(spec).map(([name, value]: [string, unknown]) => [
      name,
      (name === "crt" || name === "key") && typeof value === "string"
        ? btoa(String.fromCharCode(...utf8.encode(value)))
        : withBase64Pem(value),
    ]),
  );
}
