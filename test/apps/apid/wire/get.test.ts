/** `talosctl version` and `get` (talosctl-wire.md §2.1, §2.2, §3.2, §3.6, §4). */
import { status } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cellOf, parseJsonPath } from "../../../../src/apps/cli/output/json-path.ts";
import { StateService as State } from "../../../../src/runtime/rpc/gen/v1alpha1/state.ts";
import { NODE, startControlPlane, to, type ControlPlane } from "./control-plane.ts";
import { checkVersion, definitions, get, list, resolve } from "./sequences.ts";
import {
  definitionOf,
  expectPrintable,
  fieldsOf,
  goValue,
  matching,
  messages,
  number,
  text,
  texts,
} from "./specs.ts";
import { generations, type Talosctl } from "./talosctl.ts";

const DEFINITIONS = "ResourceDefinitions.meta.cosi.dev";
let node: ControlPlane;
let talosctl: Talosctl;
beforeAll(async () => {
  node = await startControlPlane();
  talosctl = await node.dial();
});
afterAll(async () => {
  await talosctl[Symbol.asyncDispose]();
  await node[Symbol.asyncDispose]();
});

describe.each(generations)("the header %s", (generation) => {
  test("version: everything that is printed is there", async () => {
    const message = await checkVersion(talosctl, generation);
    expect(message.features?.rbac).toBe(true);
    const { sha, goVersion, os, arch } = message.version ?? {};
    for (const printed of [sha, goVersion, os, arch]) expect(printed).not.toBe("");
  });

  test("get: everybody who may get may ask for the version", async () => {
    for (const role of ["os:admin", "os:operator", "os:reader"]) {
      await using somebody = await node.dial([role]);
      await checkVersion(somebody, generation);
    }
    await using nobody = await node.dial(["os:nothing"]);
    await expect(checkVersion(nobody, generation)).rejects.toMatchObject({
      code: status.PERMISSION_DENIED,
      details: "not authorized",
    });
  });
});

test("get T: every kind is told by proto_spec, as its YAML tells it", async () => {
  const found = await list(talosctl, "meta", DEFINITIONS);
  const ids = found.map(({ metadata }) => metadata?.id);
  expect(ids).toEqual([...ids].sort());
  for (const resource of found) {
    expectPrintable(resource);
    const { id, isSensitive, ...spec } = definitionOf(resource);
    expect(id).toBe(spec.type.toLowerCase());
    expect(goValue(resource.spec?.yamlSpec ?? "")).toEqual({
      ...spec,
      ...(isSensitive && { sensitivity: "sensitive" }),
    });
    const shown = spec.allAliases.filter((alias) => spec.aliases.includes(alias));
    expect(shown, id).toEqual(spec.aliases);
  }
});

test("get T: every name of a kind stands for that kind only", async () => {
  const kinds = await definitions(talosctl);
  for (const { id, type, allAliases } of kinds)
    for (const word of [id, type, ...allAliases])
      expect(
        matching(kinds, word).map((kind) => kind.type),
        word,
      ).toEqual([type]);
});

test.each([
  ["rd", DEFINITIONS],
  ["api-resources", DEFINITIONS],
  ["ns", "Namespaces.meta.cosi.dev"],
  ["namespace", "Namespaces.meta.cosi.dev"],
  ["mc", "MachineConfigs.config.talos.dev"],
  ["machineconfig", "MachineConfigs.config.talos.dev"],
  ["Members", "Members.cluster.talos.dev"],
  ["osrootsecrets", "OSRootSecrets.secrets.talos.dev"],
  ["certificatestatus", "CertificateStatuses.secrets.talos.dev"],
  ["securitystatus", "SecurityStatuses.secrets.talos.dev"],
  ["services", "Services.v1alpha1.talos.dev"],
])("get %s is %s", async (word, type) => {
  const found = await resolve(talosctl, word);
  expect(found.type).toBe(type);
  for (const resource of await list(talosctl, found.defaultNamespace, type))
    expectPrintable(resource);
});

test("get rd, get namespaces: what their own definitions say", async () => {
  const [definition, namespace] = [await resolve(talosctl, "rd"), await resolve(talosctl, "ns")];
  expect(definition.aliases).toEqual(["api-resources", "resourcedefinition", "rd", "rds"]);
  expect(definition.allAliases).toEqual([
    ...["resourcedefinitions", "resourcedefinitions.meta", "resourcedefinitions.meta.cosi"],
    ...["api-resources", "resourcedefinition", "rd", "rds"],
  ]);
  expect(definition.printColumns).toEqual([{ name: "Aliases", jsonPath: "{.aliases[:]}" }]);
  expect(namespace.aliases).toEqual(["ns", "namespace"]);
  const kinds = await definitions(talosctl);
  const spaces = (await list(talosctl, "meta", namespace.type)).map(({ metadata }) => metadata?.id);
  expect(spaces).toEqual(expect.arrayContaining(kinds.map((kind) => kind.defaultNamespace)));
});

test("get T -o table: the columns of every kind can be shown of every resource", async () => {
  for (const { defaultNamespace, type, printColumns } of await definitions(talosctl)) {
    const columns = printColumns.map(({ jsonPath }) => parseJsonPath(jsonPath));
    const resources = await list(talosctl, defaultNamespace, type);
    const ids = resources.map(({ metadata }) => metadata?.id);
    expect(ids, type).toEqual([...ids].sort());
    for (const { spec } of resources)
      for (const column of columns) cellOf(column, goValue(spec?.yamlSpec ?? ""));
  }
});

test("get T ID: the resource that the list has too, or that there is none", async () => {
  const { type, defaultNamespace } = await resolve(talosctl, "certificatestatus");
  const [first] = await list(talosctl, defaultNamespace, type);
  const { id } = first!.metadata!;
  const found = await get(talosctl, defaultNamespace, type, id);
  expect(found?.metadata).toMatchObject({ namespace: defaultNamespace, type, id });
  expectPrintable(found);
  await expect(get(talosctl, defaultNamespace, type, "nothing")).rejects.toMatchObject({
    code: status.NOT_FOUND,
  });
});

test.each([
  [
    "a type that nobody knows",
    "os:admin",
    "config",
    "X.y.z",
    'resource type "X.y.z" is not supported',
  ],
  ["a namespace that nobody knows", "os:admin", "x", DEFINITIONS, 'namespace "x" is not supported'],
  ["a secret", "os:reader", "secrets", "OSRootSecrets.secrets.talos.dev", "not authorized"],
  ["a secret", "os:operator", "config", "MachineConfigs.config.talos.dev", "not authorized"],
])("get of %s by %s is denied in the words of Talos", async (_, role, namespace, type, details) => {
  await using somebody = await node.dial([role]);
  const denied = { code: status.PERMISSION_DENIED, details };
  await expect(list(somebody, namespace, type)).rejects.toMatchObject(denied);
  await expect(get(somebody, namespace, type, "x")).rejects.toMatchObject(denied);
});

test("nothing is written over State", async () => {
  const pointer = { namespace: "config", type: "MachineConfigs.config.talos.dev", id: "v1alpha1" };
  const denied = { code: status.PERMISSION_DENIED, details: "write access is not allowed" };
  for (const method of [State.destroy, State.teardown, State.teardownAndDestroy])
    await expect(
      talosctl.unary(method as typeof State.destroy, { ...pointer, options: { owner: "" } }),
    ).rejects.toMatchObject(denied);
});

test("get: one node at a time, the empty one and none being this one", async () => {
  const request = { namespace: "meta", type: DEFINITIONS, options: undefined };
  for (const headers of [{}, { node: "" }, { node: NODE }, { node: "localhost" }])
    expect(await talosctl.call(State.list, request, headers).all()).not.toEqual([]);
  await expect(talosctl.call(State.list, request, to("nodes")).all()).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
  });
  const two = { node: [NODE, "localhost"] };
  await expect(talosctl.call(State.list, request, two).all()).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
  });
});

test("typed reads: the messages of the kinds that the CLI decodes (§3.6)", async () => {
  const protoOf = async (namespace: string, type: string, id: string) =>
    fieldsOf((await get(talosctl, namespace, type, id))!.spec!.protoSpec);
  const config = await protoOf("config", "MachineConfigs.config.talos.dev", "v1alpha1");
  expect(text(config, 1)).toBe(node.configuration);
  const root = await protoOf("secrets", "OSRootSecrets.secrets.talos.dev", "os");
  expect(messages(root, 1).map((pair) => [text(pair, 1), text(pair, 2)])).toEqual([
    [node.root.crt, node.root.key],
  ]);
  expect(messages(root, 5).map((pair) => text(pair, 1))).toEqual([node.root.crt]);
  const info = await protoOf("cluster", "Infos.cluster.talos.dev", "current");
  expect(text(info, 2)).toBe("wire");
  const service = await protoOf("runtime", "Services.v1alpha1.talos.dev", "apid");
  expect([number(service, 1), number(service, 2), number(service, 3)]).toEqual([1, 1, 0]);
  const served = await protoOf("secrets", "ApiCertificates.secrets.talos.dev", "api");
  expect(text(messages(served, 3)[0]!, 1)).toContain("BEGIN CERTIFICATE");
  const trustd = await protoOf("secrets", "TrustdCertificates.secrets.talos.dev", "trustd");
  expect(text(messages(trustd, 2)[0]!, 1)).toContain("BEGIN CERTIFICATE");
  const etcd = await protoOf("secrets", "EtcdRootSecrets.secrets.talos.dev", "etcd");
  expect(text(messages(etcd, 1)[0]!, 1)).toContain("BEGIN CERTIFICATE");
  const names = await protoOf("secrets", "CertSANs.secrets.talos.dev", "api");
  expect(messages(names, 1).map((ip) => [...(ip.get(1)![0] as Uint8Array)].join("."))).toContain(
    NODE,
  );
  expect(texts(names, 2)).not.toContain("");
});
