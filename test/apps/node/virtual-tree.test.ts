import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FileSet, HostnameStatus } from "#resources";
import { at } from "#runtime";
import { openMemoryStore, type Store } from "#runtime/store";
import { lookUp } from "../../../src/apps/apid/machine/file-tree.ts";
import type { Directory } from "../../../src/apps/apid/index.ts";
import { virtualTree } from "../../../src/apps/node/virtual-tree.ts";

let disk: string;
let store: Store;
let tree: Directory;
beforeEach(async () => {
  disk = await mkdtemp(join(tmpdir(), "trustplane-tree-"));
  store = openMemoryStore();
  tree = virtualTree({ store, boot: { bootId: "an-id", startedAt: at("2030-01-01") } });
  const files = { "ca.crt": "public", "ca.key": "private", "sa.pub": "key", other: "nobody's" };
  for (const [name, text] of Object.entries(files))
    await writeFile(join(disk, name), text, { mode: name.endsWith(".key") ? 0o600 : 0o644 });
  const set = { directory: disk, ready: true, waitingFor: "", version: "1", error: "" };
  await store.create(FileSet, "kubernetes-pki", {
    ...set,
    files: ["ca.crt", "ca.key", "sa.pub", "gone.crt"],
  });
});
afterEach(async () => {
  await store.close();
  await rm(disk, { recursive: true });
});

async function read(path: string): Promise<string> {
  const found = await lookUp(tree, path);
  return found.kind === "file" ? Buffer.from(await found.read()).toString() : "(directory)";
}

async function names(path: string): Promise<string[]> {
  const found = await lookUp(tree, path);
  return found.kind === "directory" ? [...(await found.entries()).keys()] : [];
}

test("facts about the node, where Linux has them", async () => {
  await store.create(HostnameStatus, "hostname", { hostname: "node-1", domainname: "example" });
  expect(await read("/proc/version")).toMatch(/^\S+ version \S+ \(trustplane [\d.]+, node v.+\n$/);
  expect(await read("/proc/sys/kernel/random/boot_id")).toBe("an-id\n");
  expect(await read("/etc/os-release")).toContain("\nID=trustplane\n");
  expect(await read("/etc/hostname")).toBe("node-1.example\n");
  expect(await names("/")).toEqual(["etc", "proc", "system"]);
});

test("what is published is there under one root, and where Kubernetes has it", async () => {
  const pki = "/system/state/pki";
  expect(await names(pki)).toEqual(["kubernetes"]);
  expect(await names(`${pki}/kubernetes/pki`)).toEqual(["ca.crt", "ca.key", "sa.pub", "gone.crt"]);
  expect(await read(`${pki}/kubernetes/pki/ca.crt`)).toBe("public");
  expect(await read("/etc/kubernetes/pki/sa.pub")).toBe("key");
});

test("keys are seen and not read; what nobody published is not there", async () => {
  const key = await lookUp(tree, "/etc/kubernetes/pki/ca.key");
  expect(await key.stat()).toMatchObject({ size: 7, mode: 0o600 });
  await expect(read("/etc/kubernetes/pki/ca.key")).rejects.toMatchObject({
    code: "ERR_SECRET_FILE",
    message: expect.stringContaining('"/system/state/pki/kubernetes/pki/ca.key"') as string,
  });
  for (const path of ["other", "../../../../../..", `../../../../../..${disk}/other`])
    await expect(read(`/etc/kubernetes/pki/${path}/passwd`)).rejects.toThrow("no such file");
});
