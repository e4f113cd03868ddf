/** Where something stands: both count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A text is not YAML. The message has no part of the text, which may be a secret. */
export class YamlError extends Error {
  readonly position: Position;
  constructor(problem: string, position: Position) {
    super(problem);
    this.position = position;
  }
}
