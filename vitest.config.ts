import { defineConfig } from "vitest/config";

const mode = process.env.NODE_ENV === "production" ? "production" : "development";

export default defineConfig({
  // The workers resolve `#…` through this list; `resolve.conditions` alone does not reach them.
  ssr: { resolve: { conditions: ["trustplane-src", "module", "node", mode] } },
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/long/**", "test/interop/**"],
    pool: "forks",
    testTimeout: 30_000,
    maxWorkers: 2,
  },
});
