import { defineConfig } from "vitest/config";

const mode = process.env.NODE_ENV === "production" ? "production" : "development";

/** Time is faked there, and the clock of this machine must have nobody who listens yet. */
const alone = ["test/runtime/clock.test.ts"];
/** Nodes as processes, for which `npm test` has no time left: `npm run test:long -- --only starts`. */
const starts = ["test/apps/node/start.test.ts", "test/apps/apid/forwarding-failures.test.ts"];
const elsewhere = [
  ...["test/long/**", "test/interop/**"],
  ...(process.env.TRUSTPLANE_TEST_STARTS === undefined ? starts : []),
];

export default defineConfig({
  // The workers resolve `#…` through this list; `resolve.conditions` alone does not reach them.
  ssr: { resolve: { conditions: ["trustplane-src", "module", "node", mode] } },
  test: {
    pool: "forks",
    testTimeout: 30_000,
    maxWorkers: 2,
    projects: [
      { extends: true, test: { name: "alone", include: alone } },
      {
        extends: true,
        test: {
          name: "together",
          include: ["test/**/*.test.ts"],
          exclude: [...elsewhere, ...alone],
          isolate: false, // a third of the time would go into loading the same modules anew
        },
      },
    ],
  },
});
