/** Kinds and namespaces as resources (cosi.md §1.6, §1.7). */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { defineResource } from "#runtime";
import { aliasCollisions, Namespace, registerKinds, ResourceDefinition } from "#runtime/engine";
import { openMemoryStore } from "#runtime/store";
import { kindNames } from "../../../src/runtime/meta/aliases.ts";

const kind = (type: string, aliases: string[] = []) =>
  defineResource({ type, namespace: "ns", aliases, spec: z.object({}) });

describe("a kind is called", () => {
  test.each<[string, string[], string, string[], string[]]>([
    [
      "ResourceDefinitions.meta.cosi.dev",
      ["api-resources"],
      "ResourceDefinition",
      ["api-resources", "resourcedefinition", "rd", "rds"],
      ["resourcedefinitions", "resourcedefinitions.meta", "resourcedefinitions.meta.cosi"],
    ],
    [
      "Namespaces.meta.cosi.dev",
      ["ns"],
      "Namespace",
      ["ns", "namespace"],
      ["namespaces", "namespaces.meta", "namespaces.meta.cosi"],
    ],
    [
      "MachineConfigs.config.talos.dev",
      [],
      "MachineConfig",
      ["machineconfig", "mc", "mcs"],
      ["machineconfigs", "machineconfigs.config", "machineconfigs.config.talos"],
    ],
    [
      "LinkStatuses.net.talos.dev",
      [],
      "LinkStatus",
      ["linkstatus", "ls"],
      ["linkstatuses", "linkstatuses.net", "linkstatuses.net.talos"],
    ],
    [
      "CertSANs.secrets.talos.dev",
      [],
      "CertSAN",
      ["certsan", "csan", "csans"],
      ["certsans", "certsans.secrets", "certsans.secrets.talos"],
    ],
    [
      "OOMActions.talos.dev",
      ["oomaction", "oomactions"],
      "OOMAction",
      ["oomaction", "oomactions", "oomaction", "ooma", "oomas"],
      ["oomactions", "oomactions.talos"],
    ],
    ["Hardware.hw.dev", [], "Hardware", ["hardware"], ["hardware", "hardware.hw"]],
  ])("%s", (type, explicit, displayType, aliases, qualified) => {
    expect(kindNames({ type, aliases: explicit })).toEqual({
      displayType,
      aliases,
      allAliases: [...qualified, ...aliases],
    });
  });

  test("by its explicit aliases only, when it says so", () => {
    const names = kindNames({
      type: "ResourceDefinitions.meta.cosi.dev",
      aliases: ["api-resources"],
      skipAutomaticAliases: true,
    });
    expect(names).toEqual({
      displayType: "ResourceDefinition",
      aliases: ["api-resources"],
      allAliases: ["api-resources"],
    });
  });
});

test.each([
  ["Ints", "missing suffix"],
  [".cosi.dev", "name is empty"],
  ["Ints.", "suffix is empty"],
  ["ints.cosi.dev", "name should be in CamelCase"],
  ["intS.cosi.dev", String.raw`name doesn't match "^[A-Z][A-Za-z0-9-]+$"`],
  ["Ints.Cosi", String.raw`suffix doesn't match "^[a-z][a-z0-9-]+(\\.[a-z][a-z0-9-]+)*$"`],
  ["Int.cosi.dev", "name should be plural"],
  ["Statuses.", "suffix is empty"],
  ["Status.cosi.dev", "name should be plural"],
  ["Metas.cosi.d", String.raw`suffix doesn't match "^[a-z][a-z0-9-]+(\\.[a-z][a-z0-9-]+)*$"`],
])("%s is refused: %s", (type, problem) => {
  expect(() => kindNames({ type, aliases: [] })).toThrow(
    `resource definition ${JSON.stringify(type)}: ${problem}`,
  );
});

const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString("hex");
const text = (field: number, value: string) =>
  Buffer.from([field * 8 + 2, value.length, ...Buffer.from(value)]).toString("hex");

test("definitions are protobuf messages, with the defaults left out", () => {
  const proto = ResourceDefinition.encoding.proto;
  const spec = {
    type: "As.b",
    displayType: "A",
    defaultNamespace: "n",
    aliases: ["a"],
    allAliases: ["as", "a"],
    printColumns: [{ name: "X", jsonPath: "{.x}" }],
  };
  const common = [
    text(1, "As.b"),
    text(2, "A"),
    text(3, "n"),
    text(4, "a"),
    text(5, "as"),
    text(5, "a"),
    text(6, `\n\x01X\x12\x04{.x}`),
  ].join("");
  expect(hex(proto?.(spec))).toBe(common);
  expect(hex(proto?.({ ...spec, sensitivity: "sensitive" }))).toBe(`${common}3801`);
  expect(hex(Namespace.encoding.proto?.({ description: "é".repeat(100) }))).toBe(
    `0ac801${"c3a9".repeat(100)}`,
  );
  expect(hex(Namespace.encoding.proto?.({ description: "" }))).toBe("");
});

test("kinds and namespaces are written once, and again only when they differ", async () => {
  const store = openMemoryStore();
  const register = (description: string) =>
    registerKinds(store, [kind("Ints.test.dev", ["int"])], { numbers: description });
  await register("Numbers.");
  const definitions = await store.list(ResourceDefinition);
  expect(
    definitions.map(({ metadata: { id, owner, namespace } }) => [id, owner, namespace]),
  ).toEqual([
    ["ints.test.dev", "meta", "meta"],
    ["namespaces.meta.cosi.dev", "meta", "meta"],
    ["resourcedefinitions.meta.cosi.dev", "meta", "meta"],
  ]);
  expect(definitions[0]?.spec).toEqual({
    type: "Ints.test.dev",
    displayType: "Int",
    defaultNamespace: "ns",
    aliases: ["int", "int"],
    allAliases: ["ints", "ints.test", "int", "int"],
    printColumns: [],
  });
  const namespaces = await store.list(Namespace);
  expect(namespaces.map(({ metadata, spec }) => [metadata.id, spec.description])).toEqual([
    ["meta", expect.stringContaining("") as string],
    ["numbers", "Numbers."],
  ]);
  await register("Numbers.");
  expect(await store.list(ResourceDefinition)).toEqual(definitions);
  expect((await store.get(Namespace, "numbers"))?.metadata.version).toBe(1);
  await register("Other numbers.");
  expect((await store.get(Namespace, "numbers"))?.metadata.version).toBe(2);
  expect(await store.get(ResourceDefinition, "ints.test.dev")).toBe(definitions[0]);
});

test("an alias of two kinds is left to the one that names it itself, else to none", async () => {
  const store = openMemoryStore();
  const kinds = [
    kind("CertificateStatuses.test.dev", ["cs"]),
    kind("ControllerStatuses.test.dev"),
    kind("EtcdSecrets.test.dev"),
    kind("EncryptionSalts.test.dev"),
  ];
  await registerKinds(store, kinds, {});
  const holders = async (alias: string) =>
    (await store.list(ResourceDefinition))
      .filter(({ spec }) => spec.allAliases.includes(alias))
      .map(({ metadata }) => metadata.id);
  expect(await holders("cs")).toEqual(["certificatestatuses.test.dev"]);
  const certificates = await store.get(ResourceDefinition, "certificatestatuses.test.dev");
  expect(certificates?.spec.aliases.filter((alias) => alias === "cs")).toHaveLength(1);
  expect(await holders("es")).toEqual([]);
  expect(await holders("etcdsecret")).toEqual(["etcdsecrets.test.dev"]);
});

test("a sensitive kind is marked, an ordinary one is not", async () => {
  const store = openMemoryStore();
  const secret = { ...kind("Keys.test.dev"), sensitivity: "sensitive" as const };
  await registerKinds(store, [secret, kind("Ints.test.dev")], {});
  expect((await store.get(ResourceDefinition, "keys.test.dev"))?.spec.sensitivity).toBe(
    "sensitive",
  );
  expect((await store.get(ResourceDefinition, "ints.test.dev"))?.spec).not.toHaveProperty(
    "sensitivity",
  );
});

test("a type of another form is refused before anything is written", async () => {
  const store = openMemoryStore();
  await expect(registerKinds(store, [kind("ints.test.dev")], {})).rejects.toMatchObject({
    code: "ERR_REGISTRATION",
  });
  expect(await store.list(Namespace)).toEqual([]);
});

test("names that more than one kind answers to are listed, with their types", () => {
  const kinds = [
    kind("LinkStatuses.net.dev"),
    kind("LeafSums.net.dev", ["Leaf"]),
    kind("Trees.net.dev", ["leaf"]),
  ];
  expect(aliasCollisions(kinds)).toEqual([
    { alias: "ls", types: ["LinkStatuses.net.dev", "LeafSums.net.dev"] },
    { alias: "leaf", types: ["LeafSums.net.dev", "Trees.net.dev"] },
  ]);
  expect(aliasCollisions([ResourceDefinition, Namespace])).toEqual([]);
});
