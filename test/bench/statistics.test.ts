import { describe, expect, test } from "vitest";
import { geometricMean, median, spreadOf } from "../../bench/statistics.ts";

describe("the median", () => {
  test("is the middle value by size, not by place or by text", () => {
    expect(median([10, 9, 1])).toBe(9);
  });

  test("of an even number of values is between the two middle ones", () => {
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });

  test("leaves the values in their order", () => {
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
  });

  test("of nothing is a mistake of the caller", () => {
    expect(() => median([])).toThrow(TypeError);
  });
});

test("a spread has the least, the middle and the greatest", () => {
  expect(spreadOf([5, 1, 9, 2])).toEqual({ min: 1, median: 3.5, max: 9 });
});

describe("the geometric mean", () => {
  test("of half as fast and twice as fast is as fast", () => {
    expect(geometricMean([0.5, 2])).toBeCloseTo(1, 12);
  });

  test("of one ratio is the ratio", () => {
    expect(geometricMean([1.7])).toBeCloseTo(1.7, 12);
  });

  test("of three is the cube root of their product", () => {
    expect(geometricMean([1, 2, 4])).toBeCloseTo(2, 12);
  });

  test("of nothing is a mistake of the caller", () => {
    expect(() => geometricMean([])).toThrow(TypeError);
  });
});
