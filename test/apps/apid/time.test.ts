import { status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import type { TimeResponse } from "../../../src/apps/rpc/gen/time/time.ts";
import { at, manualClock } from "#runtime";
import { reply } from "./running-node.ts";
import { serve } from "./served.ts";

const now = at("2030-01-01T12:00:00Z");
const time = { clock: manualClock(now), source: async () => "chrony" };

test("both timestamps are there, and who keeps the clock is named", async () => {
  await using node = await serve({ time }, ["os:reader"]);
  const { messages } = await reply<TimeResponse>((done) => node.time.time({}, done));
  const moment = new Date(now);
  expect(messages).toEqual([
    { metadata: undefined, server: "chrony", localtime: moment, remotetime: moment },
  ]);
});

test("no time server is asked, and no time is made up for one", async () => {
  await using node = await serve({ time }, ["os:reader"]);
  const check = (server: string) => reply((done) => node.time.timeCheck({ server }, done));
  await expect(check("")).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
  await expect(check("ntp.example")).rejects.toMatchObject({
    code: status.UNIMPLEMENTED,
    details: expect.stringMatching(
      /^asking the time server "ntp\.example" is not implemented/,
    ) as string,
  });
});
