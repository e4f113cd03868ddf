import { status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { at } from "#runtime";
import {
  SecretFileError,
  type Directory,
  type Entry,
  type File,
} from "../../../../src/apps/apid/index.ts";
import type { ListRequest } from "../../../../src/apps/rpc/gen/machine/machine.ts";
import { collect, serve } from "../served.ts";

const modified = at("2030-01-01");
const statOf = (size: number, mode: number) => ({
  stat: async () => ({ size, mode, modified, uid: 1, gid: 2 }),
});
const file = (text: string): File => ({
  kind: "file",
  ...statOf(text.length, 0o444),
  read: async () => Buffer.from(text),
});
const directory = (entries: Record<string, Entry>): Directory => ({
  kind: "directory",
  ...statOf(0, 0o755),
  entries: async () => new Map(Object.entries(entries)),
});
const gone = () => Promise.reject(Object.assign(new Error("/real/path"), { code: "ENOENT" }));
const failing = () => Promise.reject(new Error("/real/path: EIO"));
const files = directory({
  b: directory({ deep: directory({ deeper: file("x") }), "b.txt": file("b") }),
  a: file("hello\n".repeat(30_000)),
  empty: file(""),
  link: { kind: "symlink", target: "/b", ...statOf(0, 0o777) },
  loop: { kind: "symlink", target: "/loop", ...statOf(0, 0o777) },
  key: {
    ...file("secret"),
    read: () => Promise.reject(new SecretFileError("/key")),
  },
});

const read = async (path: string, roles?: readonly string[]) => {
  await using node = await serve({ files }, roles);
  const messages = await collect(node.machine.read({ path }));
  expect(messages.every(({ metadata }) => metadata === undefined)).toBe(true);
  return Buffer.concat(messages.map(({ bytes }) => bytes)).toString();
};

const nothing: ListRequest = {
  root: "/",
  recurse: false,
  recursionDepth: 0,
  types: [],
  reportXattrs: false,
};
type Wanted = Partial<ListRequest>;
const list = async (request: Wanted, root: Directory = files) => {
  await using node = await serve({ files: root }, ["os:reader"]);
  return await collect(node.machine.list({ ...nothing, ...request }));
};
const names = async (request: Wanted) =>
  (await list(request)).map(({ relativeName }) => relativeName);

test("a file is read whole, in pieces, also through a link", async () => {
  expect(await read("/a")).toBe("hello\n".repeat(30_000));
  expect(await read("/empty")).toBe("");
  expect(await read("/link/b.txt")).toBe("b");
});

test.each([
  ["/missing", status.NOT_FOUND, '"/missing": no such file or directory'],
  ["/a/b", status.NOT_FOUND, "no such file"],
  ["/loop", status.NOT_FOUND, "no such file"],
  ["/../../etc/passwd", status.NOT_FOUND, "no such file"],
  ["/b", status.INVALID_ARGUMENT, '"/b" is a directory'],
  ["a", status.INVALID_ARGUMENT, "does not begin with /"],
  ["", status.INVALID_ARGUMENT, "does not begin with /"],
  ["/a\0", status.NOT_FOUND, "no such file"],
  ["/key", status.PERMISSION_DENIED, '"/key" holds a private key'],
])("%j is refused", async (path, code, details) => {
  await expect(read(path)).rejects.toMatchObject({
    code,
    details: expect.stringContaining(details) as string,
  });
});

test("reading is for administrators, looking is not", async () => {
  await expect(read("/a", ["os:operator"])).rejects.toMatchObject({
    code: status.PERMISSION_DENIED,
    details: "not authorized",
  });
  expect(await names({})).toContain("a");
});

test("a list has the directory itself, then what is in it, by name", async () => {
  expect(await names({})).toEqual([".", "a", "b", "empty", "key", "link", "loop"]);
  expect(await names({ root: "" })).toEqual(await names({}));
  expect(await names({ root: "/b/../b/" })).toEqual([".", "b.txt", "deep"]);
  expect(await names({ root: "/a" })).toEqual(["."]);
  await expect(list({ root: "/missing" })).rejects.toMatchObject({ code: status.NOT_FOUND });
});

test("deeper only when asked, as deep as asked, and only the types that are wanted", async () => {
  const root = "/b";
  const all = [".", "b.txt", "deep", "deep/deeper"];
  expect(await names({ root, recurse: true })).toEqual(all);
  expect(await names({ root, recurse: true, recursionDepth: 1 })).toEqual([".", "b.txt", "deep"]);
  expect(await names({ root, recurse: true, types: [0] })).toEqual(["b.txt", "deep/deeper"]);
  expect(await names({ root, recurse: true, types: [1] })).toEqual([".", "deep"]);
  expect(await names({ types: [2] })).toEqual(["link", "loop"]);
});

test("modes have the bits of Go, and everything else is told", async () => {
  const [self, a, b] = await list({});
  expect(self).toMatchObject({ name: "/", isDir: true, mode: 2 ** 31 + 0o755 });
  expect(a).toEqual({
    metadata: undefined,
    name: "/a",
    relativeName: "a",
    size: 180_000n,
    mode: 0o444,
    modified: BigInt(modified / 1000),
    isDir: false,
    error: "",
    link: "",
    uid: 1,
    gid: 2,
    xattrs: [],
  });
  expect(b).toMatchObject({ name: "/b", isDir: true });
  const [link] = await list({ types: [2] });
  expect(link).toMatchObject({ link: "/b", mode: 2 ** 27 + 0o777 });
});

test("an entry that cannot be looked at has the reason, without the machine's path", async () => {
  const root = directory({ x: { ...file(""), stat: gone }, y: { ...file(""), stat: failing } });
  const [, x, y] = await list({}, root);
  expect(x).toMatchObject({ relativeName: "x", error: "no such file or directory" });
  expect(y).toMatchObject({ relativeName: "y", error: "it cannot be looked at" });
});
