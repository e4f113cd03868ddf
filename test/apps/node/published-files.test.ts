import {
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { at, manualClock, silentLogger, systemRandom } from "#runtime";
import { afterEach, beforeEach, expect, test } from "vitest";
import { filePublisher, ForeignFileError } from "../../../src/apps/node/published-files.ts";

let root: string;
let warned: object[];
beforeEach(async () => {
  warned = [];
  root = await mkdtemp(join(tmpdir(), "trustplane-files-"));
});
afterEach(async () => {
  await rm(root, { recursive: true });
});

const publisher = (adopt = false, owner = "node-one") =>
  filePublisher({
    ...{
      root,
      owner,
      adopt,
      log: { ...silentLogger, warn: (fields: object) => warned.push(fields) },
    },
    clock: manualClock(at("2030-01-01")),
    random: systemRandom,
  });

const files = { "ca.crt": "authority\n", "server.crt": "one\n", "server.key": "secret\n" };
const at1 = (name: string) => join(root, "pki", name);

test("a set is a directory of its own, and every name leads there through one symlink", async () => {
  await publisher()("pki", files);
  const set = await readlink(at1("..data"));
  expect(set).toMatch(/^\.\.2030_01_01_00_00_00\.[0-9a-f]{10}$/);
  expect(await readlink(at1("server.crt"))).toBe(join("..data", "server.crt"));
  expect(await readFile(at1("server.crt"), "utf8")).toBe("one\n");
  expect((await readdir(at1(set))).sort()).toEqual(["..owner", ...Object.keys(files)].sort());
  expect((await readdir(join(root, "pki"))).sort()).toEqual(
    [set, "..data", ...Object.keys(files)].sort(),
  );
});

test("a change swaps all files at once: the old set is whole until the new one is in force", async () => {
  const publish = publisher();
  await publish("pki", files);
  const before = await readlink(at1("..data"));
  await publish("pki", { ...files, "server.crt": "two\n", "server.key": "other\n" });
  expect(await readlink(at1("..data"))).not.toBe(before);
  expect(await readFile(at1("server.crt"), "utf8")).toBe("two\n");
  expect(await readFile(at1("server.key"), "utf8")).toBe("other\n");
  expect((await readdir(join(root, "pki"))).filter((name) => /^\.\.\d/.test(name))).toHaveLength(1);
});

test("nothing is written when nothing changed", async () => {
  const publish = publisher();
  const first = await publish("pki", files);
  const set = await readlink(at1("..data"));
  const { ctimeMs } = await lstat(at1("server.crt"));
  const second = await publish("pki", { ...files });
  expect(await readlink(at1("..data"))).toBe(set);
  expect((await lstat(at1("server.crt"))).ctimeMs).toBe(ctimeMs);
  expect(second.version).toBe(first.version);
});

test("private keys and kubeconfigs are for their owner alone, and so is the directory", async () => {
  await publisher()("pki", { ...files, "admin.conf": "kubeconfig\n" });
  const mode = async (name: string) => (await lstat(at1(name))).mode & 0o777;
  expect(await mode("..data/server.key")).toBe(0o600);
  expect(await mode("..data/admin.conf")).toBe(0o600);
  expect(await mode("..data/server.crt")).toBe(0o644);
  expect(await mode("")).toBe(0o700);
});

test("a file of somebody else stays, and the error names it and the cure", async () => {
  await mkdir(join(root, "pki"));
  await writeFile(at1("server.key"), "precious");
  const refused = publisher()("pki", files);
  await expect(refused).rejects.toThrow(ForeignFileError);
  await expect(refused).rejects.toThrow(/server\.key.*--adopt/);
  expect(await readFile(at1("server.key"), "utf8")).toBe("precious");
  expect(await readdir(join(root, "pki"))).toEqual(["server.key"]);
});

test("with adopt, a file of somebody else is taken over", async () => {
  await mkdir(join(root, "pki"));
  await writeFile(at1("server.key"), "precious");
  await publisher(true)("pki", files);
  expect(await readFile(at1("server.key"), "utf8")).toBe("secret\n");
  expect(warned).toEqual([{ foreign: [at1("server.key")] }]);
});

test("with adopt, a directory in the way is named, and nothing is written", async () => {
  await mkdir(at1("server.key"), { recursive: true });
  await expect(publisher(true)("pki", files)).rejects.toMatchObject({
    code: "ERR_FILE_WRITE",
    message: `${at1("server.key")} is a directory, where a file is to stand: move it away`,
  });
  expect(await readdir(join(root, "pki"))).toEqual(["server.key"]);
});

test("a name that leaves the set leaves the directory; files beside it stay", async () => {
  const publish = publisher();
  await publish("pki", files);
  await writeFile(at1("notes.txt"), "mine");
  await publish("pki", { "ca.crt": "authority\n" });
  expect((await readdir(join(root, "pki"))).filter((name) => !name.startsWith(".."))).toEqual([
    "ca.crt",
    "notes.txt",
  ]);
});

test("what a crash left behind is mended: sets without a link, links that were not made yet", async () => {
  const publish = publisher();
  await publish("pki", files);
  await mkdir(at1("..2029_12_31_00_00_00.0000000000"));
  await writeFile(at1("..2029_12_31_00_00_00.0000000000/..owner"), "node-one");
  await writeFile(at1("..2029_12_31_00_00_00.0000000000/server.key"), "half");
  await mkdir(at1("..2029_12_31_00_00_00.1111111111"));
  await mkdir(at1("..2029_12_31_00_00_00.2222222222"));
  await writeFile(at1("..2029_12_31_00_00_00.2222222222/..owner"), "node");
  await rm(at1("server.crt"));
  await publish("pki", files);
  expect(await readFile(at1("server.crt"), "utf8")).toBe("one\n");
  expect((await readdir(join(root, "pki"))).filter((name) => /^\.\.\d/.test(name))).toHaveLength(1);
});

test("a set whose removal is cut short stays known as ours", async () => {
  await publisher()("pki", files);
  const set = at1("..2029_12_31_00_00_00.0123456789");
  await mkdir(join(set, "stuck"), { recursive: true });
  await writeFile(join(set, "..owner"), "node-one");
  await writeFile(join(set, "server.key"), "old\n");
  await expect(publisher()("pki", files)).rejects.toThrow("stuck");
  expect(await readdir(set)).toContain("..owner");
  await rm(join(set, "stuck"), { recursive: true });
  await publisher()("pki", files);
  await expect(lstat(set)).rejects.toThrow("ENOENT");
});

test("a set of another node, or of nobody, is refused by its directory unless it is adopted", async () => {
  await publisher(false, "node-two")("pki", files);
  const set = await readlink(at1("..data"));
  const refused = publisher()("pki", { ...files, "server.crt": "two\n" });
  await expect(refused).rejects.toThrow(ForeignFileError);
  await expect(refused).rejects.toThrow(`${join(root, "pki")}: not written by this node`);
  await rm(at1("..data/..owner"));
  await expect(publisher()("pki", files)).rejects.toThrow(ForeignFileError);
  expect(await readlink(at1("..data"))).toBe(set);
  await publisher(true)("pki", files);
  expect(await readFile(at1("..data/..owner"), "utf8")).toBe("node-one");
  expect(await readdir(join(root, "pki"))).not.toContain(set);
  await publisher()("pki", files);
});

test("sets of somebody else beside ours stay", async () => {
  const publish = publisher();
  await mkdir(at1("..2029_12_31_00_00_00.0000000000"), { recursive: true });
  await writeFile(at1("..2029_12_31_00_00_00.0000000000/tls.key"), "precious");
  await publish("pki", files);
  await publish("pki", { ...files, "server.crt": "two\n" });
  const sets = (await readdir(join(root, "pki"))).filter((name) => /^\.\.\d/.test(name));
  expect(sets).toEqual(["..2029_12_31_00_00_00.0000000000", await readlink(at1("..data"))]);
});

test("a set that cannot be written leaves nothing behind, and the one in force stays", async () => {
  const publish = publisher();
  await publish("pki", files);
  const before = (await readdir(join(root, "pki"))).sort();
  await expect(publish("pki", { ...files, "no/such/folder.crt": "three\n" })).rejects.toThrow();
  expect((await readdir(join(root, "pki"))).sort()).toEqual(before);
});

test("an empty set makes no directory", async () => {
  await publisher()("pki", {});
  expect(await readdir(root)).toEqual([]);
});
