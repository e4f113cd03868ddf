/** The specs are those of bench/go/note.go: 600 bytes as a protobuf message, all strings distinct. */
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { defineResource, type DeepReadonly } from "#runtime";
import { z } from "zod";

const BODY_BYTES = 456;
export const FIRST_REVISION = 1000;

const schema = z.object({
  subject: z.string(),
  names: z.array(z.string()),
  body: z.string(),
  revision: z.int(),
});

/** What both kinds hold. */
export type NoteSpec = DeepReadonly<z.infer<typeof schema>>;

/** The message that Go's side writes for a spec. */
export function noteProto({ subject, revision, names, body }: NoteSpec): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(1, WireType.LengthDelimited).string(subject);
  writer.tag(2, WireType.Varint).int64(revision);
  for (const name of names) writer.tag(3, WireType.LengthDelimited).string(name);
  return writer.tag(4, WireType.LengthDelimited).string(body).finish();
}

/** The spec of such a message. */
export function noteOf(bytes: Uint8Array): NoteSpec {
  const reader = new BinaryReader(bytes);
  const names: string[] = [];
  const spec = { subject: "", names, body: "", revision: 0 };
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1) spec.subject = reader.string();
    else if (field === 2) spec.revision = Number(reader.int64());
    else if (field === 3) names.push(reader.string());
    else if (field === 4) spec.body = reader.string();
    else reader.skip(wireType);
  }
  return spec;
}

const kind = (type: string) =>
  defineResource({
    type: `${type}.bench.trustplane.dev`,
    namespace: "bench",
    spec: schema,
    encoding: { proto: noteProto, decode: { proto: noteOf } },
  });

/** The input of every workload. */
export const Note = kind("Notes");
/** What the controller makes of a note. */
export const Copy = kind("Copies");

const sixDigits = (index: number) => String(index).padStart(6, "0");

/** Texts as they come from outside: flat, and shared with nobody. */
const flat = (text: string) => Buffer.from(text, "latin1").toString("latin1");

export const noteId = (index: number) => flat(`note-${sixDigits(index)}`);

export function noteSpec(index: number): NoteSpec {
  const number = sixDigits(index);
  return {
    subject: flat(`CN=node-${number},O=example`),
    names: [0, 1, 2, 3].map((name) => flat(`n${name}.node-${number}.example.org`)),
    body: flat(number + "b".repeat(BODY_BYTES - number.length)),
    revision: FIRST_REVISION,
  };
}

export const noteSpecs = (count: number) => Array.from({ length: count }, (_, i) => noteSpec(i));
