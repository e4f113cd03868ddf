import { MachineToken, MachineType, OSRoot } from "#resources";
import { after, days, hours, rfc3339 } from "#runtime";
import { mount } from "#runtime/testing";
import { expect, test } from "vitest";
import { machineTokenController } from "../../../src/controllers/secrets/machine-token.ts";
import { START } from "../control-plane.ts";

/** A hash that tells what it is of. */
const hashOf = (token: string) => Buffer.from(token).toString("hex").padEnd(64, "0");

async function mounted(options: { enabled?: boolean; type?: "worker"; overlap?: number } = {}) {
  const { type = "controlplane", ...rest } = options;
  const t = await mount(machineTokenController({ hashOf, ...rest }), { now: START });
  await t.create(MachineType, "machine-type", { type });
  await t.create(OSRoot, "os", {
    ...{ issuingCA: null, certSANIPs: [], certSANDNSNames: [], acceptedCAs: [] },
    token: "first",
  });
  const replace = (token: string) =>
    t.update(OSRoot, "os", (draft) => {
      draft.token = token;
    });
  return { t, replace, taken: () => t.spec(MachineToken, "trustd") };
}

test("the token in force is taken, by its hash", async () => {
  const { t, taken } = await mounted();
  await using _ = t;
  expect(taken()).toEqual({ hash: hashOf("first"), former: [] });
  expect(JSON.stringify(taken())).not.toContain('"first"');
});

test("one that is replaced is taken for a day longer, to the second", async () => {
  const { t, replace, taken } = await mounted();
  await using _ = t;
  await t.advance(hours(1));
  await replace("second");
  const until = rfc3339(after(START, hours(25)));
  const former = [{ hash: hashOf("first"), until }];
  expect(taken()).toEqual({ hash: hashOf("second"), former });
  await t.advance(days(1) - 1);
  expect(taken()).toEqual({ hash: hashOf("second"), former });
  await t.advance(1);
  expect(taken()).toEqual({ hash: hashOf("second"), former: [] });
});

test("several that are replaced in a row each have their day, and one that comes back is in force", async () => {
  const { t, replace, taken } = await mounted();
  await using _ = t;
  await replace("second");
  await t.advance(hours(12));
  await replace("third");
  expect(taken()?.former.map(({ hash }) => hash)).toEqual([hashOf("second"), hashOf("first")]);
  await replace("first");
  expect(taken()).toMatchObject({
    hash: hashOf("first"),
    former: [{ hash: hashOf("third") }, { hash: hashOf("second") }],
  });
  await t.advance(hours(24));
  expect(taken()?.former).toEqual([]);
});

test("a damaged text is no token that was in force", async () => {
  const { t, replace, taken } = await mounted();
  await using _ = t;
  await replace("second");
  const damage = (spec: { hash: string; former: { until: string }[] }) => {
    spec.hash = "gar bage";
    for (const former of spec.former) former.until = "gar bage";
  };
  const owner = "secrets.MachineTokenController";
  await t.store.modify(MachineToken, "trustd", damage, { owner });
  await t.advance(0);
  expect(taken()).toEqual({ hash: hashOf("second"), former: [] });
});

test("none is taken where it is switched off or gone, nor on a worker", async () => {
  const off = await mounted({ enabled: false });
  await using _off = off.t;
  expect(off.taken()).toEqual({ hash: "", former: [] });
  const gone = await mounted();
  await using _gone = gone.t;
  await gone.replace("");
  expect(gone.taken()).toEqual({ hash: "", former: [] });
  const worker = await mounted({ type: "worker" });
  await using _worker = worker.t;
  expect(worker.taken()).toBeNull();
});

test("a clock that was ahead when the token was replaced does not have the one before taken for years", async () => {
  const { t, replace, taken } = await mounted();
  await using _ = t;
  await t.advance(days(3650));
  await replace("second");
  t.clock.stepTo(after(START, hours(1)));
  await t.update(OSRoot, "os", (draft) => {
    draft.certSANIPs = ["10.0.0.9"]; // anything: it is looked at again
  });
  expect(taken()?.former).toEqual([
    { hash: hashOf("first"), until: rfc3339(after(START, hours(25))) },
  ]);
  await t.advance(days(1));
  expect(taken()?.former).toEqual([]);
});

test("without an overlap the token before is not taken, nor those that have one from before a restart", async () => {
  const { t, replace, taken } = await mounted({ overlap: 0 });
  await using _ = t;
  const owner = "secrets.MachineTokenController";
  const leaked = { hash: hashOf("leaked"), until: rfc3339(after(START, hours(20))) };
  await t.store.modify(MachineToken, "trustd", (spec) => void (spec.former = [leaked]), { owner });
  await replace("second");
  expect(taken()).toEqual({ hash: hashOf("second"), former: [] });
});
