import { expect, test } from "vitest";
import { after, at, days, hours, minutes, seconds } from "#runtime";
import { relativeTime } from "../../../../src/apps/cli/output/relative-time.ts";

const now = at("2030-01-01");

test.each([
  [0, "now"],
  [seconds(1), "1 second from now"],
  [seconds(30), "30 seconds from now"],
  [minutes(1), "1 minute from now"],
  [minutes(59), "59 minutes from now"],
  [hours(1), "1 hour from now"],
  [hours(23), "23 hours from now"],
  [days(1), "1 day from now"],
  [days(6), "6 days from now"],
  [days(7), "1 week from now"],
  [days(29), "4 weeks from now"],
  [days(30), "1 month from now"],
  [days(359), "11 months from now"],
  [days(365), "1 year from now"],
  [days(600), "2 years from now"],
  [days(3650), "10 years from now"],
  [days(36500), "a long while from now"],
  [-days(365), "1 year ago"],
  [-seconds(5), "5 seconds ago"],
])("%d ms from now is %j", (distance, words) => {
  expect(relativeTime(after(now, distance), now)).toBe(words);
});
