import { expect, test } from "vitest";
import { differingFields, loadMachineConfig } from "#config";
import { changed, controlplaneYaml, workerYaml } from "./demo.ts";

const demo = loadMachineConfig(controlplaneYaml);
const fields = (text: string) => differingFields(demo, loadMachineConfig(text));

test("the same configuration, written otherwise, differs in nothing", () => {
  const commented = controlplaneYaml.replace("machine:", "# a comment\nmachine: # another");
  expect(fields(commented)).toEqual([]);
  const quoted = controlplaneYaml.replace("clusterName: demo", 'clusterName: "demo"');
  expect(fields(quoted)).toEqual([]);
});

test("the order of keys within a list says nothing", () => {
  const [one, other] = ["{crt: YQ==, note: x}", "{note: x, crt: YQ==}"].map((entry) =>
    loadMachineConfig(`version: v1alpha1\nmachine:\n    acceptedCAs: [${entry}]\n`),
  );
  expect(one && other && differingFields(one, other)).toEqual([]);
});

test("fields that differ, came and went are named by their paths", () => {
  const text = changed(
    controlplaneYaml,
    ["machine.certSANs", ["other.example"]],
    ["cluster.ca.key", "AAAA"],
    ["machine.time", { disabled: true }],
    ["cluster.clusterName", undefined],
  );
  expect(fields(text)).toEqual([
    "cluster.ca.key",
    "cluster.clusterName",
    "machine.certSANs",
    "machine.time",
  ]);
  expect(differingFields(loadMachineConfig(text), demo)).toEqual(fields(text));
});

test("fields of other documents begin with their kind", () => {
  expect(fields(controlplaneYaml.replace("auto: stable", "auto: off"))).toEqual([
    "HostnameConfig.auto",
  ]);
  const without = controlplaneYaml.split("---\n")[0] ?? "";
  expect(fields(without)).toEqual(["HostnameConfig"]);
  const roots =
    "---\napiVersion: v1alpha1\nkind: TrustedRootsConfig\nname: ours\ncertificates: x\n";
  expect(fields(controlplaneYaml + roots)).toEqual(["TrustedRootsConfig/ours"]);
});

test("no value is named", () => {
  expect(fields(workerYaml).length).toBeGreaterThan(5);
  for (const field of fields(workerYaml)) expect(field).toMatch(/^[A-Za-z0-9.]+$/);
});
