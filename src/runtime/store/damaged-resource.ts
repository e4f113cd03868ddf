/** The kind that says which stored resources cannot be read. */
import { z } from "zod";
import { formatPointer, type Pointer } from "../errors.ts";
import type { Instant } from "../instant.ts";
import { defineResource, pointerTo, type Resource } from "../resource.ts";
import { metadataOf, noFinalizers, noText } from "./metadata.ts";

/**
 * A stored resource that cannot be read; its id is the address of that, `Type(namespace/id)`. It is
 * not stored itself: it is there as long as what it tells of. To destroy it, as its owner, gives the
 * place of that up.
 */
export const DamagedResource = defineResource({
  type: "DamagedResources.runtime.trustplane.dev",
  namespace: "runtime",
  printColumns: [{ name: "Problem", jsonPath: "{.problem}" }],
  spec: z.object({
    /** What is wrong; never what is in it. */
    problem: z.string(),
  }),
});

/** Who owns all of them. */
export const DAMAGED_OWNER = "runtime.Store";

/** What a store tells of a resource that it cannot read. */
export const damagedResource = (pointer: Pointer, problem: string, now: Instant): Resource =>
  Object.freeze({
    metadata: metadataOf(
      pointerTo(DamagedResource, formatPointer(pointer)),
      { version: 1, owner: DAMAGED_OWNER, created: now, updated: now },
      { phase: "running", labels: noText, annotations: noText, finalizers: noFinalizers },
    ),
    spec: Object.freeze({ problem }),
  });
