/** What a node sends cannot always be printed as asked. */
import { CodedError, formatPointer, type Pointer } from "#runtime";

/** The spec of a resource is not one YAML document. */
export class SpecParseError extends CodedError {
  readonly code = "ERR_SPEC_PARSE";
  constructor(pointer: Pointer, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`the spec of ${formatPointer(pointer)} cannot be read: ${reason}`, { cause });
  }
}

/** A JSONPath template is malformed, or asks for what the value is not made for. */
export class JsonPathError extends CodedError {
  readonly code = "ERR_JSON_PATH";
}
