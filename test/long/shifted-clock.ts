/** A worker whose clock is set, forward beyond the end of all that it holds and back, recovers by itself. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type LongCase, SkipError } from "./case.ts";
import { eventually, LIFE_S, openCluster, type Worker } from "./cluster.ts";

/** Debian's faketime, on the machines that it is built for. */
const LIBRARIES = ["x86_64-linux-gnu", "aarch64-linux-gnu"].map(
  (machine) => `/usr/lib/${machine}/faketime/libfaketimeMT.so.1`,
);

/** By how many minutes its clock is ahead, one after the other. */
const SHIFTS_MIN = [60, -10, 0] as const;
/** A step is noticed within a minute, and what failed meanwhile is tried again within another one. */
const PATIENCE_MS = 150_000;
const TOLERANCE_MS = 10_000;

export const shiftedClock: LongCase = {
  name: "shifted-clock",
  async run({ scratch }) {
    const library = LIBRARIES.find((path) => existsSync(path));
    if (library === undefined)
      throw new SkipError("there is no libfaketime (apt install faketime)");
    const file = join(scratch, "shift");
    const shift = async (minutes: number) => {
      await writeFile(`${file}.new`, `${minutes < 0 ? "" : "+"}${String(minutes)}m\n`);
      await rename(`${file}.new`, file);
    };
    await shift(0);
    // A clock that is behind the beginning of the authority itself is none to go by.
    await using cluster = await openCluster(scratch, { LD_PRELOAD: library, FAKETIME: "-2d" });
    const worker = await cluster.join(1, {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1", // durations pass as they do
    });
    const begun = performance.now();
    const took: string[] = [];
    for (const minutes of SHIFTS_MIN) {
      const shifted = performance.now();
      await shift(minutes);
      await recovers(worker, minutes);
      took.push(`${String(minutes)} min in ${((performance.now() - shifted) / 1000).toFixed(0)} s`);
    }
    const asked = (await cluster.asked("Join")) + (await cluster.asked("Renew"));
    // Twice in a life, and once for each step: a clock that is set is no reason to ask over and over.
    const most = 1 + SHIFTS_MIN.length + Math.ceil((performance.now() - begun) / (LIFE_S * 500));
    assert.ok(
      asked <= most,
      `${String(asked)} certificates were asked for, ${String(most)} at most`,
    );
    assert.equal((await cluster.members()).length, 1);
    return `${took.join(", ")}; ${String(asked)} certificates`;
  },
};

/** Tells how far its clock is off, and holds and serves what is valid by the clocks of others. */
const recovers = (worker: Worker, minutes: number) =>
  eventually(
    `it holds what is valid, ${String(minutes)} min ahead,`,
    async () => {
      const { validFrom, validTo } = await worker.serves();
      if (Date.parse(validFrom) > Date.now() || Date.parse(validTo) <= Date.now()) return undefined;
      const { state, why, peerSkew = NaN } = await worker.status("apid-server");
      const isMeasured = Math.abs(peerSkew + minutes * 60_000) < TOLERANCE_MS;
      // By its own clock it may have ended: that clock is said to be wrong.
      const isToldWhy =
        minutes === 0 ? state === "Valid" : why.includes("the clock of who signed it");
      if (isMeasured && isToldWhy) return true;
      throw new Error(`${state}, ${String(peerSkew)} ms: ${why}`);
    },
    PATIENCE_MS,
  );
