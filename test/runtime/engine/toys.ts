/** Toy kinds and controllers, after those of COSI's conformance suite (cosi.md §8.2). */
import { z } from "zod";
import {
  at,
  all,
  defineController,
  defineResource,
  each,
  exclusive,
  shared,
  strong,
} from "#runtime";

const kind = <Schema extends z.ZodType>(type: string, spec: Schema) =>
  defineResource({ type: `${type}.test.trustplane.dev`, namespace: "test", spec });

export const Int = kind("Ints", z.object({ value: z.number() }));
export const Str = kind("Strs", z.object({ value: z.string() }));
export const Sentence = kind("Sentences", z.object({ value: z.string() }));
export const Sum = kind("Sums", z.object({ total: z.number() }));
export const Switch = kind("Switches", z.object({ on: z.boolean() }));

export const START = at("2030-01-01");

/** "1" for 1, one at a time for each. */
export const intToStr = (concurrency = 1) =>
  defineController({
    name: "test.IntToStrController",
    inputs: { int: strong(each(Int)) },
    outputs: { str: exclusive(Str) },
    concurrency,
    reconcile: ({ inputs, item }) => ({
      outputs: { str: { [item]: { value: String(inputs.int.spec.value) } } },
    }),
  });

/** The same by one reconcile for all. */
export const intsToStrs = () =>
  defineController({
    name: "test.IntsToStrsController",
    inputs: { ints: strong(all(Int)) },
    outputs: { str: exclusive(Str) },
    reconcile: ({ inputs }) => ({
      outputs: {
        str: Object.fromEntries(
          inputs.ints.map(({ metadata, spec }) => [metadata.id, { value: String(spec.value) }]),
        ),
      },
    }),
  });

export const strToSentence = () =>
  defineController({
    name: "test.StrToSentenceController",
    inputs: { str: strong(each(Str)) },
    outputs: { sentence: exclusive(Sentence) },
    reconcile: ({ inputs, item }) => ({
      outputs: { sentence: { [item]: { value: `${inputs.str.spec.value} sentence` } } },
    }),
  });

export const sum = (name = "test.SumController", id = "total") =>
  defineController({
    name,
    inputs: { ints: all(Int) },
    outputs: { sum: shared(Sum) },
    reconcile: ({ inputs }) => ({
      outputs: {
        sum: { [id]: { total: inputs.ints.reduce((total, { spec }) => total + spec.value, 0) } },
      },
    }),
  });
