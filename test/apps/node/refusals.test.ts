import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { loadMachineConfig } from "#config";
import { webCryptoKeys } from "#pki";
import { at, CodedError, manualClock, systemRandom } from "#runtime";
import { expect, test } from "vitest";
import { accept, refuseOtherType } from "../../../src/apps/node/acceptance.ts";
import { openEventLog } from "../../../src/apps/node/event-log.ts";
import { tellingRefusals } from "../../../src/apps/node/refusals.ts";
import { eventMessages, nameOfTypeUrl } from "../../../src/apps/rpc/event-messages.ts";

const fixtures = join(import.meta.dirname, "../../fixtures/talos-demo");
const controlplane = await readFile(join(fixtures, "controlplane.yaml"), "utf8");
const worker = await readFile(join(fixtures, "worker.yaml"), "utf8");
const clock = manualClock(at("2026-11-24"));
const keys = webCryptoKeys();

/** What is told of a configuration that is taken up as a node does. */
async function told(text: string) {
  const events = openEventLog({ clock, random: systemRandom });
  const takeUp = async () => {
    const config = loadMachineConfig(text, "the configuration");
    await accept(config, { keys, clock });
    refuseOtherType(controlplane, config);
  };
  let message = "";
  await tellingRefusals(events, takeUp).catch((error: unknown) => {
    expect(error).toBeInstanceOf(CodedError);
    message = (error as CodedError).message;
  });
  const all = events.ring.items.map(({ typeUrl, value }) => {
    const name = nameOfTypeUrl(typeUrl) ?? "TaskEvent";
    return { name, ...eventMessages[name].decode(value) };
  });
  return { all, message };
}

test.each([
  ["no YAML", "{", "ConfigLoadErrorEvent"],
  ["a document of another sort", "version: v1alpha2\nkind: Nothing\n", "ConfigLoadErrorEvent"],
  [
    "an authority that is none",
    controlplane.replace(/(\n {4}ca:\n {8}crt: ).*/, "$1YQ=="),
    "ConfigValidationErrorEvent",
  ],
  ["a worker's, on a control plane", worker, "ConfigValidationErrorEvent"],
])("a configuration that is %s is told in an event", async (_, text, name) => {
  const { all, message } = await told(text);
  expect(message).not.toBe("");
  expect(all).toEqual([{ name, error: message }]);
});

test("of one that is taken up nothing is told", async () => {
  expect(await told(controlplane)).toEqual({ all: [], message: "" });
});
