/** How groups of rows are written down. */
import type { Group, MeasuredRow } from "./row.ts";
import type { Size } from "./size.ts";

/** A row as it stands here: `quick` is what a quick run changes of the size. */
export type Entry = Omit<MeasuredRow, "group" | "quick"> & { readonly quick: Partial<Size> };

/** Makes a group. */
export const group = (
  name: string,
  entries: readonly Entry[],
  rest: Pick<Group, "target" | "slowdowns"> = {},
): Group => ({
  name,
  rows: entries.map((entry) => ({
    ...entry,
    group: name,
    quick: { ...entry.size, ...entry.quick },
  })),
  ...rest,
});
