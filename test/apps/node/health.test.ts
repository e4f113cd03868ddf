import { expect, test } from "vitest";
import { CertificateStatus, FileSet, SecurityStatus, TimeStatus } from "#resources";
import { at, ControllerStatus, manualClock, minutes, seconds, type ManualClock } from "#runtime";
import { openMemoryStore, type Store } from "#runtime/store";
import { UnhealthyError } from "../../../src/apps/apid/index.ts";
import { healthCheck } from "../../../src/apps/node/health.ts";
import { status as certificate } from "../cli/listening-node.ts";

const ROLE = "trustplane.dev/role";
const start = at("2030-01-01");

/** A store in which all is well. */
async function healthy(): Promise<Store> {
  const store = openMemoryStore();
  const time = { synced: true, epoch: 0, syncDisabled: false, source: "chrony" };
  await store.create(TimeStatus, "node", time);
  await store.create(CertificateStatus, "os", certificate, { labels: { [ROLE]: "authority" } });
  await store.create(CertificateStatus, "apid", certificate, { labels: { [ROLE]: "leaf" } });
  const set = { directory: "/pki/talos", ready: true, waitingFor: "", files: [], version: "" };
  await store.create(FileSet, "talos", { ...set, error: "" });
  return store;
}

/** Begins a check; `said` resolves with the first line that contains a text. */
function begin(store: Store, clock: ManualClock, timeout = minutes(20)) {
  const lines: string[] = [];
  const abort = new AbortController();
  let heard = Promise.withResolvers<undefined>();
  const tell = async (line: string) => {
    lines.push(line);
    heard.resolve(undefined);
    heard = Promise.withResolvers();
  };
  const done = healthCheck({ store, clock })({ timeout, signal: abort.signal, tell });
  done.catch(() => undefined);
  const said = async (part: string) => {
    for (;;) {
      const found = lines.find((line) => line.includes(part));
      if (found !== undefined) return found;
      await Promise.race([heard.promise, done]);
    }
  };
  return { lines, done, said, abort };
}

test("where all is well each check is named once, and found good", async () => {
  await using store = await healthy();
  const { lines, done } = begin(store, manualClock(start));
  await done;
  expect(lines.slice(0, 4)).toEqual([
    "waiting for the clock to be in sync: ...",
    "waiting for the clock to be in sync: OK",
    "waiting for all authorities to be valid: ...",
    "waiting for all authorities to be valid: OK",
  ]);
  expect(lines.filter((line) => line.endsWith(": OK"))).toHaveLength(lines.length / 2);
});

test("a certificate that is not valid is named with the reason, and waited for", async () => {
  await using store = await healthy();
  await store.modify(CertificateStatus, "apid", (spec) => {
    spec.state = "Missing";
    spec.why = "waits for the clock";
  });
  const { done, said } = begin(store, manualClock(start));
  expect(await said("apid is")).toBe(
    "waiting for all certificates to be valid: apid is Missing (waits for the clock)",
  );
  await store.modify(CertificateStatus, "apid", (spec) => {
    spec.state = "Valid";
  });
  await done;
});

test("when the time is up everything that is not well is named, and nothing else", async () => {
  await using store = await healthy();
  const clock = manualClock(start);
  await store.modify(TimeStatus, "node", (spec) => {
    spec.synced = false;
  });
  await store.modify(FileSet, "talos", (spec) => {
    spec.error = "no space left";
  });
  await store.create(ControllerStatus, "a.Controller", {
    ...{ state: "failing", waitingFor: "", attempt: 1, nextTry: "", lastReason: "start" },
    error: { code: "ERR_X", message: "no luck" },
  });
  await store.create(SecurityStatus, "node", {
    ...{ algorithm: "", notAfter: "", accepted: 0, acceptedFingerprints: [], weakestLeaf: "" },
    findings: [
      { reason: "StoreFull", severity: "critical", message: "the disk is full", command: "" },
      { reason: "ClockUnkept", severity: "warning", message: "nobody", command: "" },
    ],
  });
  const { done, said } = begin(store, clock, seconds(30));
  await said("chrony has not set it yet");
  clock.advanceTo(at("2030-01-01T00:00:30Z"));
  const error: unknown = await done.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(UnhealthyError);
  expect((error as Error).message.split("\n")).toEqual([
    "the time is up: waiting for the clock to be in sync: chrony has not set it yet",
    "waiting for all files to be published: /pki/talos: no space left",
    "waiting for all controllers to succeed: a.Controller: no luck",
    "waiting for no critical finding: node: the disk is full",
  ]);
  expect(clock.nextAlarm()).toBeUndefined();
});

test("one who goes away ends it at once", async () => {
  await using store = openMemoryStore();
  const clock = manualClock(start);
  const { done, said, abort } = begin(store, clock);
  await said("nothing is known of the clock");
  abort.abort(new Error("gone"));
  await expect(done).rejects.toThrow("gone");
  expect(clock.nextAlarm()).toBeUndefined();
});
