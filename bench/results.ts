/** From measured values to the rows of the table. */
import { fullName, units, type Group, type MeasuredRow, type Side, type Unit } from "./row.ts";
import { geometricMean, median, spreadOf, type Spread } from "./statistics.ts";

/** What was measured of one row, round by round; a side that was not measured is empty. */
export interface Measured {
  readonly row: MeasuredRow;
  readonly values: Readonly<Record<Side, readonly number[]>>;
  /** Why a side, or a round of it, is missing. */
  readonly remarks: readonly string[];
}

/** One row of the table. */
export interface Result {
  readonly group: string;
  readonly name: string;
  readonly unit: Unit | null;
  readonly ours: Spread | null;
  readonly go: Spread | null;
  /** Better is higher, whatever the unit. */
  readonly ratio: Spread | null;
  readonly target: number | null;
  readonly limit: number | null;
  readonly remarks: readonly string[];
}

/** One row of the file that `--json` writes. */
export interface JsonRow {
  readonly row: string;
  readonly ours: number | null;
  readonly go: number | null;
  readonly ratio: number | null;
  readonly target: number | null;
  readonly limit: number | null;
}

/** The rows of a group, then what is derived of them, its geometric mean last. */
export function resultsOf(group: Group, measured: readonly Measured[]): readonly Result[] {
  const results = measured.map(resultOf);
  return [...results, ...slowdownsOf(group, measured), ...meanOf(group, results)];
}

/** A row without a Go side has no target, for there is nothing to hold it against. */
function resultOf({ row, values, remarks }: Measured): Result {
  const { group, name, unit } = row;
  const ratios = ratiosOf(row, values);
  return {
    ...{ group, name, unit, remarks },
    ours: spreadOrNull(values.ours),
    go: spreadOrNull(values.go),
    ratio: spreadOrNull(ratios),
    target: ratios.length > 0 ? (row.target ?? null) : null,
    limit: row.limit ?? null,
  };
}

const spreadOrNull = (values: readonly number[]) => (values.length === 0 ? null : spreadOf(values));

/** Round by round, as both ran next to each other; a side with fewer rounds counts by its median. */
function ratiosOf({ unit }: MeasuredRow, { ours, go }: Measured["values"]): readonly number[] {
  if (ours.length === 0 || go.length === 0) return [];
  const rounds = Math.max(ours.length, go.length);
  const at = (values: readonly number[], round: number) =>
    values.length === rounds ? values[round]! : median(values);
  return Array.from({ length: rounds }, (_, round) => {
    const [mine, its] = [at(ours, round), at(go, round)];
    return units[unit].better === "more" ? mine / its : its / mine;
  });
}

function slowdownsOf({ slowdowns = [] }: Group, measured: readonly Measured[]): readonly Result[] {
  return slowdowns.map(({ group, name, unit, from, to, limit }) => {
    const ratesOf = (wanted: string) =>
      measured.find(({ row }) => row.name === wanted)?.values.ours ?? [];
    const [fast, slow] = [ratesOf(from), ratesOf(to)];
    const rounds = Math.min(fast.length, slow.length);
    const times = Array.from({ length: rounds }, (_, round) => fast[round]! / slow[round]!);
    return {
      ...{ group, name, unit, limit },
      ours: spreadOrNull(times),
      ...{ go: null, ratio: null, target: null, remarks: [] },
    };
  });
}

/** Of all rows that are held against Go, when there is more than one. */
function meanOf({ name: group, target }: Group, results: readonly Result[]): Result[] {
  const asked = results.filter(({ target: wanted }) => wanted !== null);
  const ratios = asked.flatMap(({ ratio }) => ratio ?? []);
  if (ratios.length < 2) return [];
  const mean = (part: keyof Spread) => geometricMean(ratios.map((ratio) => ratio[part]));
  const result: Result = {
    group,
    name: "geometric mean",
    unit: null,
    ours: meanOfSide(asked, "ours"),
    go: meanOfSide(asked, "go"),
    ratio: { min: mean("min"), median: mean("median"), max: mean("max") },
    target: target ?? null,
    limit: null,
    remarks: [],
  };
  return [result];
}

/** Of the medians of one side; the spread is that of the ratios alone. */
function meanOfSide(results: readonly Result[], side: Side): Spread {
  const compared = results.filter(({ ratio }) => ratio !== null);
  const value = geometricMean(compared.flatMap((result) => result[side]?.median ?? []));
  return { min: value, median: value, max: value };
}

/** What was asked of a row, and whether it was reached; `null` where nothing is asked or measured. */
export function reached({ unit, ours, ratio, target, limit }: Result): boolean | null {
  if (target !== null && ratio !== null) return ratio.median >= target;
  if (limit === null || ours === null || unit === null) return null;
  return units[unit].better === "more" ? ours.median >= limit : ours.median <= limit;
}

export const jsonRow = (result: Result): JsonRow => ({
  row: fullName(result),
  ours: result.ours?.median ?? null,
  go: result.go?.median ?? null,
  ratio: result.ratio?.median ?? null,
  target: result.target,
  limit: result.limit,
});
