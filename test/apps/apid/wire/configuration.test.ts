/** `talosctl config new`, `apply-config`, `edit mc` and `patch mc` (talosctl-wire.md §2.3, §2.4). */
import { X509Certificate } from "node:crypto";
import { status } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { applyConfigPatches, readConfigPatch } from "#config";
import {
  ApplyConfigurationRequest_Mode as Mode,
  MachineServiceService as Machine,
  type ApplyConfigurationRequest,
} from "../../../../src/apps/rpc/gen/machine/machine.ts";
import { startControlPlane, type ControlPlane } from "./control-plane.ts";
import { ask, checkVersion, get, resolve } from "./sequences.ts";
import { expectPrintable, goValue } from "./specs.ts";
import { generations, type Generation, type Talosctl } from "./talosctl.ts";

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

/** One message, as the CLI reads it. */
function apply(
  data: string,
  generation: Generation,
  more: Partial<ApplyConfigurationRequest> = {},
) {
  const request = { mode: Mode.AUTO, dryRun: false, tryModeTimeout: { seconds: 60n, nanos: 0 } };
  const whole = { ...request, data: Buffer.from(data), ...more };
  return ask(talosctl, Machine.applyConfiguration, whole, generation);
}

/** What `edit` and `patch` work on: a string in the YAML of the resource. */
async function held(id = "v1alpha1"): Promise<string> {
  const { defaultNamespace, type } = await resolve(talosctl, "machineconfig");
  const resource = await get(talosctl, defaultNamespace, type, id);
  expectPrintable(resource);
  expect(Object.keys(resource.metadata?.annotations ?? {})).toContain("talos.dev/yaml-spec");
  expect(resource.spec?.yamlSpec).toMatch(/^\|/); // a literal block, as `get mc -o yaml` prints it
  const text = goValue(resource.spec?.yamlSpec ?? "");
  expect(text).toBeTypeOf("string");
  return text as string;
}

const patched = (text: string, name: string) =>
  applyConfigPatches(text, [readConfigPatch(`machine: {certSANs: [${name}]}`)]);

describe.each(generations)("the header %s", (generation) => {
  test.each([
    [["os:admin"], 31_536_000n, "admin@wire"],
    [["os:reader"], 3600n, "reader@wire"],
    [["os:operator", "os:reader"], 3600n, "wire"],
  ])("config new with %j: one message, one context", async (roles, seconds, name) => {
    const request = { roles, crtTtl: { seconds, nanos: 0 } };
    const method = Machine.generateClientConfiguration;
    const { talosconfig } = await ask(talosctl, method, request, generation);
    const config = parse(talosconfig.toString()) as {
      context: string;
      contexts: Record<string, { endpoints?: string[]; ca: string; crt: string; key: string }>;
    };
    expect([config.context, ...Object.keys(config.contexts)]).toEqual([name, name]);
    const context = config.contexts[name]!;
    const pem = (text: string) => Buffer.from(text, "base64").toString();
    expect(context.endpoints ?? []).toEqual([]);
    expect(pem(context.ca)).toBe(node.root.crt);
    const { subject, validFrom, validTo } = new X509Certificate(pem(context.crt));
    expect(subject.split(" + ").sort()).toEqual(roles.map((role) => `O=${role}`));
    expect(Date.parse(validTo) - Date.parse(validFrom)).toBeGreaterThanOrEqual(
      Number(seconds) * 1000,
    );
    const identity = { crt: pem(context.crt), key: pem(context.key) };
    await using somebody = await node.dial(roles, { identity });
    await checkVersion(somebody, generation);
  });

  test("config new without time to live is refused", async () => {
    const request = { roles: ["os:admin"], crtTtl: { seconds: 0n, nanos: 0 } };
    await expect(
      ask(talosctl, Machine.generateClientConfiguration, request, generation),
    ).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
  });

  test.each([
    ["auto", Mode.AUTO, Mode.NO_REBOOT],
    ["no-reboot", Mode.NO_REBOOT, Mode.NO_REBOOT],
  ])("apply-config -m %s is in force at once", async (name, mode, replied) => {
    const text = patched(node.configuration, `${name}-${generation}.example.dev`);
    const { mode: told, warnings } = await apply(text, generation, { mode });
    expect([told, warnings]).toEqual([replied, []]);
    expect(await held()).toBe(text);
  });

  test("apply-config --dry-run says all in its details, and changes nothing", async () => {
    const before = await held();
    const text = patched(node.configuration, `dry-${generation}.example.dev`);
    const { modeDetails } = await apply(text, generation, { dryRun: true });
    expect(modeDetails).toMatch(/^Dry run\./);
    expect(modeDetails).toContain(`dry-${generation}.example.dev`);
    expect(await held()).toBe(before);
  });

  test("apply-config -m staged is for the next start", async () => {
    const before = await held();
    const text = patched(node.configuration, `staged-${generation}.example.dev`);
    const { mode, modeDetails } = await apply(text, generation, { mode: Mode.STAGED });
    expect(mode).toBe(Mode.STAGED);
    expect(modeDetails).toMatch(/^Staged/);
    expect([await held(), await held("staged")]).toEqual([before, text]);
  });

  test("apply-config -m try says until when; any other mode ends the trial", async () => {
    const text = patched(node.configuration, `try-${generation}.example.dev`);
    const tried = await apply(text, generation, { mode: Mode.TRY });
    expect(tried.mode).toBe(Mode.TRY);
    expect(tried.modeDetails).toContain("60 s");
    expect(await held()).toBe(text);
    await held("rollback");
    await apply(text, generation);
    await expect(held("rollback")).rejects.toMatchObject({ code: status.NOT_FOUND });
  });

  test("edit mc: the text that was read, changed, is what is read next", async () => {
    await checkVersion(talosctl, generation);
    const edited = `${await held()}# seen by ${generation}\n`;
    await apply(edited, generation);
    expect(await held()).toBe(edited);
  });

  test("patch mc: the merged text is taken up", async () => {
    await checkVersion(talosctl, generation);
    const text = patched(await held(), `patch-${generation}.example.dev`);
    await apply(text, generation);
    expect(await held()).toContain(`patch-${generation}.example.dev`);
  });
});

test.each([
  ["no YAML", "machine: [", status.INVALID_ARGUMENT],
  ["no configuration", "a: b\n", status.INVALID_ARGUMENT],
])("apply-config of %s is refused, and nothing has changed", async (_, data, code) => {
  const before = await held();
  await expect(apply(data, "node")).rejects.toMatchObject({ code });
  expect(await held()).toBe(before);
});

test("apply-config -m reboot, as talosctl had it until 1.13, is for maintenance only", async () => {
  const request = apply(node.configuration, "nodes", { mode: Mode.REBOOT });
  await expect(request).rejects.toMatchObject({ code: status.UNIMPLEMENTED });
});

test("of two at once one is refused, or they are taken one after the other", async () => {
  const texts = ["a", "b"].map((name) => patched(node.configuration, `${name}.example.dev`));
  const answers = await Promise.allSettled(texts.map((text) => apply(text, "node")));
  const refused = answers.filter((answer) => answer.status === "rejected");
  for (const { reason } of refused)
    expect(reason).toMatchObject({ code: status.FAILED_PRECONDITION });
  expect(refused.length).toBeLessThan(2);
  expect(texts).toContain(await held());
});

test("nobody but an administrator applies or issues", async () => {
  for (const role of ["os:operator", "os:reader"]) {
    await using somebody = await node.dial([role]);
    const denied = { code: status.PERMISSION_DENIED, details: "not authorized" };
    const request = { roles: ["os:admin"], crtTtl: { seconds: 1n, nanos: 0 } };
    await expect(
      somebody.unary(Machine.generateClientConfiguration, request),
    ).rejects.toMatchObject(denied);
    const data = Buffer.from(node.configuration);
    await expect(
      somebody.unary(Machine.applyConfiguration, {
        ...{ data, mode: Mode.AUTO, dryRun: true, tryModeTimeout: undefined },
      }),
    ).rejects.toMatchObject(denied);
  }
});
