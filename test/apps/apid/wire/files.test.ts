/** `talosctl kubeconfig`, `read`, `list`, `containers` and `support` (talosctl-wire.md §2.8). */
import { gunzipSync } from "node:zlib";
import { status, type MethodDefinition } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { InspectServiceService as Inspect } from "../../../../src/apps/rpc/gen/inspect/inspect.ts";
import {
  MachineServiceService as Machine,
  type ListRequest,
} from "../../../../src/apps/rpc/gen/machine/machine.ts";
import { untar } from "../../untar.ts";
import { startControlPlane, to, type ControlPlane } from "./control-plane.ts";
import { ask, askAll, checkVersion, definitions, list } from "./sequences.ts";
import { expectPrintable } from "./specs.ts";
import { generations, type Generation, type Talosctl } from "./talosctl.ts";

/** Bits of Go's FileMode. */
const [DIRECTORY, SYMLINK] = [2 ** 31, 2 ** 27];
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

/** The bytes of all messages. */
async function read(path: string, generation: Generation): Promise<string> {
  const chunks = await askAll(talosctl, Machine.read, { path }, generation);
  return Buffer.concat(chunks.map(({ bytes }) => bytes)).toString();
}

/** The entries below a path. */
const entries = (root: string, generation: Generation, more: Partial<ListRequest> = {}) => {
  const request = { root, recurse: false, recursionDepth: 0, types: [], reportXattrs: true };
  return askAll(talosctl, Machine.list, { ...request, ...more }, generation);
};

/** A method that talosctl knows and this server does not. */
const unknown = (path: string): MethodDefinition<object, object> => ({
  ...{ path, requestStream: false, responseStream: true },
  ...{ requestSerialize: () => Buffer.alloc(0), requestDeserialize: () => ({}) },
  ...{ responseSerialize: () => Buffer.alloc(0), responseDeserialize: () => ({}) },
});

describe.each(generations)("the header %s", (generation) => {
  test("kubeconfig: one file of that name in an archive", async () => {
    const chunks = await askAll(talosctl, Machine.kubeconfig, {}, generation);
    const archive = gunzipSync(Buffer.concat(chunks.map(({ bytes }) => bytes)));
    const [file, ...others] = untar(archive);
    expect([file?.name, file?.type, others]).toEqual(["kubeconfig", "-", []]);
    expect(parse(file?.content ?? "")).toMatchObject({
      ...{ apiVersion: "v1", kind: "Config" },
      clusters: [{ name: "wire", cluster: { server: "https://127.0.0.1:6443" } }],
    });
  });

  test("read: the bytes of a file; what is not there is NOT_FOUND", async () => {
    expect(await read("/proc/version", generation)).toMatch(/ version .*\n$/);
    expect(await read("/proc/sys/kernel/random/boot_id", generation)).toMatch(/^[0-9a-f-]{36}\n$/);
    const pki = "/system/state/pki/kubernetes/pki";
    expect(await read(`${pki}/ca.crt`, generation)).toContain("BEGIN CERTIFICATE");
    await expect(read("/nothing", generation)).rejects.toMatchObject({ code: status.NOT_FOUND });
    await expect(read(`${pki}/ca.key`, generation)).rejects.toMatchObject({
      code: status.PERMISSION_DENIED,
    });
  });

  test("list: names relative to what was asked for, modes in the bits of Go", async () => {
    const found = await entries("/etc", generation);
    expect(found.map(({ relativeName }) => relativeName)).toEqual([
      ...[".", "hostname", "kubernetes", "os-release"],
    ]);
    const [self, file, link] = found;
    expect(self).toMatchObject({ name: "/etc", isDir: true, mode: DIRECTORY + 0o755 });
    expect(file).toMatchObject({ name: "/etc/hostname", isDir: false, mode: 0o444, link: "" });
    expect(link).toMatchObject({ mode: SYMLINK + 0o777, link: "/system/state/pki/kubernetes" });
    expect(found.every(({ error }) => error === "")).toBe(true);
    await expect(entries("/nothing", generation)).rejects.toMatchObject({
      code: status.NOT_FOUND,
    });
  });

  test("list -r, -d, -t: all below, so far below, of these types", async () => {
    const all = await entries("/", generation, { recurse: true });
    expect(all.map(({ name }) => name)).toContain("/proc/sys/kernel/random/boot_id");
    const near = await entries("/", generation, { recurse: true, recursionDepth: 1 });
    expect(near.map(({ relativeName }) => relativeName)).toEqual([
      ...[".", "etc", "proc", "system"],
    ]);
    const links = await entries("/", generation, { recurse: true, types: [2] });
    expect(links.map(({ name }) => name)).toEqual(["/etc/kubernetes"]);
  });

  test("containers: none, in a message that is there", async () => {
    for (const request of [
      { namespace: "system", driver: 0 as const },
      { namespace: "k8s.io", driver: 1 as const },
    ])
      expect((await ask(talosctl, Machine.containers, request, generation)).containers).toEqual([]);
  });

  test("support: what has to succeed does, and the rest fails softly", async () => {
    await definitions(talosctl);
    const cri = { namespace: "k8s.io", driver: 1 as const };
    await ask(talosctl, Machine.containers, cri, generation);
    const { services } = await ask(talosctl, Machine.serviceList, {}, generation);
    for (const method of ["Dmesg", "Mounts", "DiskStats", "Processes"]) {
      const call = talosctl.call(unknown(`/machine.MachineService/${method}`), {}, to(generation));
      expect((await call.end()).code, method).toBe(status.UNIMPLEMENTED);
    }
    for (const { id } of services) {
      const request = { namespace: "system", id, driver: 0 as const, follow: false, tailLines: -1 };
      expect(await askAll(talosctl, Machine.logs, request, generation), id).not.toEqual([]);
    }
    await checkVersion(talosctl, generation);
    await ask(talosctl, Inspect.controllerRuntimeDependencies, {}, generation);
    for (const { defaultNamespace, type } of await definitions(talosctl))
      for (const resource of await list(talosctl, defaultNamespace, type))
        expectPrintable(resource);
  });
});
