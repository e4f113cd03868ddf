/** The exported conformance suite of stores as tests. */
import { describe, test } from "vitest";
import {
  storeCapabilities,
  storeConformance,
  type OpenStore,
  type StoreCapability,
} from "#runtime/conformance";

/**
 * Runs each case that the store has the capabilities for, on a store of its own; says which are left
 * out, and why.
 */
export function conforms(name: string, open: OpenStore, can: readonly StoreCapability[]): void {
  describe(`${name} conforms:`, () => {
    test.for(storeConformance)("$name", async (storeCase, context) => {
      const { needs } = storeCase;
      if (needs !== undefined && !can.includes(needs)) {
        const reason = storeCapabilities[needs];
        console.log(`skipped on ${name}: ${storeCase.name}: ${reason}`);
        context.skip(reason);
      }
      await storeCase.run(open);
    });
  });
}
