/** Messages of callers, read strictly: a text that is not UTF-8 would be kept as another one. */
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { isUtf8 } from "node:buffer";

/** Stands in a text where its bytes were no UTF-8, or where they said so. */
const REPLACEMENT = "\ufffd";

function strictText(bytes: Uint8Array): string {
  const { buffer, byteOffset, byteLength } = bytes;
  const text = Buffer.from(buffer, byteOffset, byteLength).toString();
  if (text.includes(REPLACEMENT) && !isUtf8(bytes)) throw new RangeError("invalid UTF-8");
  return text;
}

/** A message type of the generated code. */
export interface MessageType<Message> {
  decode(input: BinaryReader): Message;
}

/**
 * Makes a reader of a message type.
 *
 * @returns a function that throws when the bytes are not one whole message of the type
 */
export const readerOf =
  <Message>(type: MessageType<Message>) =>
  (bytes: Uint8Array): Message => {
    const reader = new BinaryReader(bytes, strictText);
    const message = type.decode(reader);
    if (reader.pos !== reader.len) throw new RangeError("the message does not end where it should");
    return message;
  };
