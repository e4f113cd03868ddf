import { chmod, lstat, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readTalosconfig, writeTalosconfig } from "#config";
import { authorityPem, authorityProfiles, issueAuthority, leafIssuer, webCryptoKeys } from "#pki";
import { ACTIVE, MachineConfig, OSRoot } from "#resources";
import { at, days, instantOf, manualClock, silentLogger, systemRandom } from "#runtime";
import { openMemoryStore, type Store } from "#runtime/store";
import { afterEach, beforeEach, expect, test } from "vitest";
import { keepAdminTalosconfig } from "../../../src/apps/node/admin-talosconfig.ts";

const start = at("2030-01-01");
const issuing = { keys: webCryptoKeys(), random: systemRandom };
const issueOs = async (now = start) =>
  authorityPem(await issueAuthority(authorityProfiles.os, { ...issuing, now }));

let directory: string;
let path: string;
let store: Store;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "trustplane-talosconfig-"));
  path = join(directory, "talosconfig");
  store = openMemoryStore();
  const fixture = join(import.meta.dirname, "../../fixtures/talos-demo/controlplane.yaml");
  await store.create(MachineConfig, ACTIVE, { yaml: await readFile(fixture, "utf8") });
  const os = await issueOs();
  const names = { certSANIPs: [], certSANDNSNames: [], token: "" };
  const acceptedCAs = [{ crt: os.crt }];
  await store.create(OSRoot, "os", { issuingCA: os, acceptedCAs, ...names });
});
afterEach(async () => {
  await store.close();
  await rm(directory, { recursive: true });
});

const keep = (changed: { port?: number; address?: string; now?: typeof start } = {}) =>
  keepAdminTalosconfig({
    path,
    address: changed.address ?? "127.0.0.5",
    port: changed.port ?? 50000,
    store,
    clock: manualClock(changed.now ?? start),
    issueLeaf: leafIssuer(issuing),
    log: silentLogger,
  });
const held = async () => readTalosconfig(await readFile(path, "utf8"));

test("a file that works is kept, byte for byte", async () => {
  expect(await keep()).toBe("written");
  const before = await readFile(path, "utf8");
  expect(await keep({ now: instantOf(start + days(300)) })).toBe("kept");
  expect(await readFile(path, "utf8")).toBe(before);
});

test("one that leads elsewhere, has ended or cannot be read is written anew", async () => {
  await keep();
  expect(await keep({ port: 54001 })).toBe("written");
  expect((await held()).contexts.demo?.endpoints).toEqual(["127.0.0.5:54001"]);
  expect(await keep({ address: "::1" })).toBe("written");
  expect((await held()).contexts.demo).toMatchObject({ endpoints: ["::1"], nodes: ["::1"] });
  const later = instantOf(start + days(366));
  expect(await keep({ address: "::1", now: later })).toBe("written");
  expect(await keep({ address: "::1", now: later })).toBe("kept");
});

test("one that cannot be read is put aside: it may hold what nobody else has", async () => {
  for (const aside of ["talosconfig.damaged", "talosconfig.damaged-2"]) {
    await writeFile(path, `# ${aside}\ncontext: [\n`);
    expect(await keep()).toBe("written");
    expect(await readFile(join(directory, aside), "utf8")).toBe(`# ${aside}\ncontext: [\n`);
    expect(Object.keys((await held()).contexts)).toEqual(["demo"]);
  }
});

test("another authority: the identity follows, so does what is trusted; other contexts stay", async () => {
  await keep();
  const mine = { endpoints: ["192.0.2.1"] };
  const { context, contexts } = await held();
  await writeFile(path, writeTalosconfig({ context, contexts: { ...contexts, mine } }));
  await chmod(path, 0o644);
  const next = await issueOs();
  await store.modify(OSRoot, "os", (draft) => void draft.acceptedCAs.push({ crt: next.crt }));
  expect(await keep()).toBe("written"); // what apid will present is not trusted yet
  expect(await keep()).toBe("kept");
  await store.modify(OSRoot, "os", (draft) => {
    draft.issuingCA = next;
    draft.acceptedCAs = [{ crt: next.crt }];
  });
  expect(await keep()).toBe("written");
  const after = await held();
  expect(after.contexts).toMatchObject({ mine, demo: { ca: next.crt } });
  expect((await lstat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(directory)).toEqual(["talosconfig"]);
});

test("an authority that has ended leaves the file as it is and stops nothing", async () => {
  await keep();
  const before = await readFile(path, "utf8");
  expect(await keep({ now: instantOf(start + days(9999)) })).toBe("kept");
  expect(await readFile(path, "utf8")).toBe(before);
});
