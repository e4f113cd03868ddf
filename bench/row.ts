/** Rows of the table, as data. */
import type { Size } from "./size.ts";

/** In what a value is given, and whether more of it is better. */
export const units = {
  "operations/s": { better: "more" },
  "items/s": { better: "more" },
  "events/s": { better: "more" },
  "updates/s": { better: "more" },
  "certificates/s": { better: "more" },
  "calls/s": { better: "more" },
  "joins/s": { better: "more" },
  "handshakes/s": { better: "less" }, // those of who was refused
  "bytes/resource": { better: "less" },
  MB: { better: "less" },
  ms: { better: "less" },
  times: { better: "less" },
} as const satisfies Record<string, { readonly better: "more" | "less" }>;

export type Unit = keyof typeof units;

/** One of the two that are compared. */
export type Side = "ours" | "go";

/** What every row has. */
interface Named {
  readonly group: string;
  readonly name: string;
  readonly unit: Unit;
}

/** A row that is measured. The workload has the same name on both sides. */
export interface MeasuredRow extends Named {
  readonly workload: string;
  readonly size: Size;
  /** With `--quick`. */
  readonly quick: Size;
  /** What the ratio to Go has to be at least. */
  readonly target?: number;
  /** What ours has to be at least, or at most where less is better. */
  readonly limit?: number;
  /** Of a row with a limit: Go is measured beside it, though nothing is asked of the ratio. */
  readonly isCompared?: boolean;
  /** At most so many rounds; default as many as are asked for. */
  readonly rounds?: Partial<Record<Side, number>>;
  /** Go's side is left out of a quick run, for this reason. */
  readonly tooSlowForQuick?: string;
  /** Which program `cold-start` starts. */
  readonly program?: "checkout" | "installed";
}

/** A row by how much one row of ours is slower than another one. */
export interface SlowdownRow extends Named {
  readonly from: string;
  readonly to: string;
  readonly limit: number;
}

/** Rows that belong together, and what their geometric mean has to be. */
export interface Group {
  readonly name: string;
  readonly rows: readonly MeasuredRow[];
  readonly slowdowns?: readonly SlowdownRow[];
  readonly target?: number;
}

/** What a run is about to measure of a row. */
export const sizeOf = (row: MeasuredRow, isQuick: boolean): Size =>
  isQuick ? row.quick : row.size;

export const fullName = ({ group, name }: Pick<Named, "group" | "name">) => `${group}: ${name}`;
