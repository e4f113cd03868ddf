import { systemClock, systemRandom } from "#runtime";
import { expect, test } from "vitest";
import { newBoot } from "../../../src/apps/node/boot.ts";

test("each start has a boot id of its own, a random UUID", () => {
  const world = { clock: systemClock, random: systemRandom };
  const ids = Array.from({ length: 100 }, () => newBoot(world).bootId);
  for (const id of ids)
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(new Set(ids).size).toBe(100);
});
