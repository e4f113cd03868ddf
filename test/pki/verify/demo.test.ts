import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { readCertificate, type Certificate } from "#pki";
import { after, at, days } from "#runtime";
import { verifyChain } from "../../../src/pki/verify/index.ts";
import { demoRoots } from "../demo.ts";

interface Talosconfig {
  readonly context: string;
  readonly contexts: Readonly<Record<string, { readonly ca: string; readonly crt: string }>>;
}

const file = new URL("../../fixtures/talos-demo/talosconfig", import.meta.url);
const { context, contexts } = parse(readFileSync(file, "utf8")) as Talosconfig;
const read = (base64 = ""): Certificate =>
  readCertificate(Buffer.from(base64, "base64").toString("utf8"));

const admin = read(contexts[context]?.crt);
const roots = Object.entries(demoRoots).map(
  ([name, { crt }]) => [name, readCertificate(crt)] as const,
);
const rootNamed = (wanted: string) => roots.filter(([name]) => name === wanted).map(([, ca]) => ca);
const now = after(admin.notBefore, days(1));

test("the client certificate of talosctl verifies under the OS authority for clientAuth", async () => {
  const [os] = rootNamed("os");
  const verdict = await verifyChain({
    leaf: admin,
    anchors: [os!],
    now,
    usage: "clientAuth",
    strict: true,
  });
  expect(verdict).toEqual({ valid: true, chain: [admin, os] });
  expect(read(contexts[context]?.ca).fingerprint).toBe(os?.fingerprint);
});

test("it does not verify for serverAuth, after its end, or under the other roots", async () => {
  const anchors = rootNamed("os");
  const others = roots.filter(([name]) => name !== "os").map(([, ca]) => ca);
  const codeOf = async (request: Partial<Parameters<typeof verifyChain>[0]>) =>
    verifyChain({ leaf: admin, anchors, now, usage: "clientAuth", ...request });
  expect(await codeOf({ usage: "serverAuth" })).toMatchObject({ code: "ERR_CHAIN_EXT_KEY_USAGE" });
  expect(await codeOf({ now: at("2100-01-01") })).toMatchObject({ code: "ERR_CHAIN_EXPIRED" });
  expect(await codeOf({ anchors: others })).toMatchObject({ code: "ERR_CHAIN_UNKNOWN_AUTHORITY" });
});

test.each(roots)("the %s authority verifies as itself, for either usage", async (_name, ca) => {
  for (const usage of ["serverAuth", "clientAuth"] as const)
    expect(await verifyChain({ leaf: ca, anchors: [ca], now, usage })).toMatchObject({
      valid: true,
    });
});
