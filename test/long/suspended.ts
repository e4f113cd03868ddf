/** A worker that is stopped past the end of its certificates joins again by itself when it goes on. */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { type LongCase, SkipError } from "./case.ts";
import { eventually, LIFE_S, openCluster } from "./cluster.ts";

/** Between its going on and its serving another certificate. */
const RECOVERY_MS = 90_000;

export const suspended: LongCase = {
  name: "suspended",
  async run({ scratch }) {
    if (process.platform !== "linux") throw new SkipError("only Linux has all of 127.0.0.0/8");
    await using cluster = await openCluster(scratch);
    const worker = await cluster.join(1);
    const first = await worker.serves();
    const members = await cluster.members();
    assert.equal(members.length, 1);
    worker.process.kill("SIGSTOP");
    await delay(Date.parse(first.validTo) + 2_000 - Date.now()); // there is nothing else to wait for
    worker.process.kill("SIGCONT");
    const begun = performance.now();
    const another = async () => {
      const served = await worker.serves();
      return served.fingerprint256 === first.fingerprint256 ? undefined : served;
    };
    const second = await eventually("it serves another certificate", another, RECOVERY_MS);
    const took = ((performance.now() - begun) / 1000).toFixed(1);
    assert.ok(Date.parse(second.validTo) > Date.now(), "what it serves now has ended");
    assert.deepEqual(await cluster.members(), members, "it is the same member");
    assert.equal(await cluster.asked("Join"), 2, "how often it has joined");
    const { state, why } = await worker.status("apid-server");
    assert.equal(state, "Valid", why);
    return `stopped for ${String(LIFE_S)} s, joined again ${took} s after it went on`;
  },
};
