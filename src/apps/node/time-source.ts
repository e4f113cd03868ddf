/** Asks who keeps this machine's clock: systemd-timesyncd or chrony, where one of them is running. */
import { execFile } from "node:child_process";
import { access } from "node:fs/promises";
import { promisify } from "node:util";
import type { AskTime } from "#controllers";

const run = promisify(execFile);

/** Where timesyncd keeps its state while it runs; the file appears once it has set the clock. */
const TIMESYNCD = "/run/systemd/timesync";

const there = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** `Leap status` of chrony's tracking report, or undefined where no chronyd answers. */
async function chronyLeapStatus(): Promise<string | undefined> {
  try {
    const { stdout } = await run("chronyc", ["-c", "tracking"], { timeout: 2000 });
    return stdout.trim().split(",").at(-1);
  } catch {
    return undefined; // not installed, or not running
  }
}

/** Says who keeps the time and whether the clock is right; the bare system clock counts as right. */
export const askMachine: AskTime = async () => {
  if (await there(TIMESYNCD)) {
    return { synced: await there(`${TIMESYNCD}/synchronized`), source: "systemd-timesyncd" };
  }
  const leap = await chronyLeapStatus();
  if (leap !== undefined) return { synced: leap !== "Not synchronised", source: "chrony" };
  return { synced: true, source: "system clock" };
};

/** Nobody is asked. */
export const askNobody: AskTime = () => Promise.resolve({ synced: true, source: "none" });
