/** The few numbers that stand for many. */

/** The least, the middle and the greatest of some values. */
export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

const assertSome = (values: readonly number[]) => {
  if (values.length === 0) throw new TypeError("there are no values");
};

/** The middle value, and between the two middle ones of an even number of values. */
export function median(values: readonly number[]): number {
  assertSome(values);
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const above = sorted[Math.floor(middle)]!;
  return sorted.length % 2 === 1 ? above : (sorted[middle - 1]! + above) / 2;
}

export const spreadOf = (values: readonly number[]): Spread => ({
  median: median(values),
  min: Math.min(...values),
  max: Math.max(...values),
});

/** The mean of ratios: half as fast here and twice as fast there is as fast. */
export function geometricMean(values: readonly number[]): number {
  assertSome(values);
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}
