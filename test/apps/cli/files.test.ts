/** What the program writes is whole, private, and never by accident in the place of something else. */
import { once } from "node:events";
import { existsSync, linkSync, mkdirSync, rmSync } from "node:fs";
import { chmod, mkdir, readlink, stat, symlink } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { at, systemClock, systemRandom } from "#runtime";
import { refuseExisting, replaceFile, writeOutputs } from "../../../src/apps/cli/files.ts";
import type { Io } from "../../../src/apps/cli/io.ts";
import { bench, type Bench } from "./harness.ts";

let here: Bench;
let io: Io;
let printed: { stdout: string; stderr: string };
beforeEach(async () => {
  here = await bench(at("2030-01-01"));
  printed = { stdout: "", stderr: "" };
  io = {
    stdin: async () => "",
    line: async () => "",
    stdout: { write: (text) => (printed.stdout += String(text)) },
    stderr: { write: (text) => (printed.stderr += String(text)) },
    env: {},
    cwd: here.cwd,
    home: here.home,
    clock: systemClock,
    random: systemRandom,
    edit: () => Promise.reject(new Error("no editor")),
    interruption: () => new AbortController().signal,
  };
});
afterEach(() => here[Symbol.asyncDispose]());

const a = { path: "a", content: "new a\n" };
const b = { path: "sub/b", content: "new b\n" };

test("files are for their owner only, whatever the umask, and so are new directories", async () => {
  const umask = process.umask(0);
  try {
    await writeOutputs(io, [a, b], false);
  } finally {
    process.umask(umask);
  }
  expect(await here.files()).toEqual(["a", "sub", "sub/b"]);
  expect(await here.mode("a")).toBe(0o600);
  expect(await here.mode("sub/b")).toBe(0o600);
  expect(await here.mode("sub")).toBe(0o700);
  expect(printed).toEqual({ stdout: "", stderr: "Created a\nCreated sub/b\n" });
});

test("`-` is the standard output", async () => {
  await writeOutputs(io, [{ path: "-", content: "text" }], false);
  expect(await here.files()).toEqual([]);
  expect(printed).toEqual({ stdout: "text", stderr: "" });
});

describe("one name is taken", () => {
  beforeEach(async () => {
    await mkdir(join(here.cwd, "sub"));
    await here.write("sub/b", "old b\n");
    await chmod(join(here.cwd, "sub/b"), 0o644);
  });

  test("nothing is written, and the error says which and what to do", async () => {
    await expect(writeOutputs(io, [a, b], false)).rejects.toThrow(
      'file "sub/b" already exists, use --force to overwrite',
    );
    expect(await here.files()).toEqual(["sub", "sub/b"]);
    expect(await here.read("sub/b")).toBe("old b\n");
    expect(printed.stderr).toBe("");
  });

  test("a dangling symbolic link counts as taken", async () => {
    await symlink("nowhere", join(here.cwd, "a"));
    await expect(writeOutputs(io, [a], false)).rejects.toThrow('file "a" already exists');
    expect(await readlink(join(here.cwd, "a"))).toBe("nowhere");
  });

  test("a name that is taken between the look and the writing is kept too", async () => {
    const late: Io = {
      ...io,
      random: {
        // Drawn once for each draft: by then it has been looked whether the names are free.
        bytes: (length) => {
          if (!existsSync(join(here.cwd, "c")))
            linkSync(join(here.cwd, "sub/b"), join(here.cwd, "c"));
          return systemRandom.bytes(length);
        },
      },
    };
    const c = { path: "c", content: "new c\n" };
    await expect(writeOutputs(late, [a, c], false)).rejects.toThrow('file "c" already exists');
    expect(await here.read("c")).toBe("old b\n");
    expect(await here.files()).toEqual(["c", "sub", "sub/b"]);
  });

  test("with force it is replaced, and private from then on", async () => {
    await writeOutputs(io, [a, b], true);
    expect(await here.read("sub/b")).toBe("new b\n");
    expect(await here.mode("sub/b")).toBe(0o600);
    expect(await here.files()).toEqual(["a", "sub", "sub/b"]);
  });
});

describe("with force", () => {
  beforeEach(async () => {
    for (const name of ["one", "two", "three"]) await here.write(name, `old ${name}\n`);
    await chmod(join(here.cwd, "one"), 0o644);
  });
  const files = ["one", "new", "two", "three"].map((path) => ({ path, content: "new\n" }));

  test("a failure midway brings back what was there, to the inode", async () => {
    const before = await stat(join(here.cwd, "one"));
    const late: Io = {
      ...io,
      random: {
        // Drawn once for each draft: when it is the last one's turn, the name of the third is taken.
        bytes: (length) => {
          if (existsSync(join(here.cwd, "two")) && drawn++ === 3) {
            rmSync(join(here.cwd, "two"));
            mkdirSync(join(here.cwd, "two"));
          }
          return systemRandom.bytes(length);
        },
      },
    };
    let drawn = 0;
    await expect(writeOutputs(late, files, true)).rejects.toThrow(
      'cannot write "two": it is a directory',
    );
    expect(await here.files()).toEqual(["one", "three", "two"]);
    expect(await here.read("one")).toBe("old one\n");
    expect(await here.read("three")).toBe("old three\n");
    const { ino, mode, mtimeMs } = await stat(join(here.cwd, "one"));
    expect({ ino, mode, mtimeMs }).toEqual({
      ino: before.ino,
      mode: before.mode,
      mtimeMs: before.mtimeMs,
    });
    expect(printed).toEqual({ stdout: "", stderr: "" });
  });

  test("all are replaced, and nothing is left beside them", async () => {
    await writeOutputs(io, files, true);
    expect(await here.files()).toEqual(["new", "one", "three", "two"]);
    for (const { path } of files) expect(await here.read(path)).toBe("new\n");
    expect(await here.mode("one")).toBe(0o600);
  });

  test("a symbolic link stays, and the file that it leads to is replaced", async () => {
    await symlink("two", join(here.cwd, "link"));
    await writeOutputs(io, [{ path: "link", content: "new\n" }], true);
    expect(await readlink(join(here.cwd, "link"))).toBe("two");
    expect(await here.read("two")).toBe("new\n");
  });

  test("what is no file is not replaced, nor a directory, before any work is done", async () => {
    await using server = createServer().listen(join(here.cwd, "socket"));
    await once(server, "listening");
    await symlink("socket", join(here.cwd, "link"));
    await mkdir(join(here.cwd, "sub"));
    for (const [path, what] of [
      ["link", "it is a device, a pipe or a socket, and no file"],
      ["sub", "it is a directory"],
    ] as const) {
      const message = `cannot write "${path}": ${what}`;
      await expect(refuseExisting(io, ["one", path], true)).rejects.toThrow(message);
      await expect(replaceFile(io, { path, content: "" })).rejects.toThrow(message);
    }
    expect((await stat(join(here.cwd, "socket"))).isSocket()).toBe(true);
  });
});

test("a directory that cannot be made leaves nothing behind", async () => {
  await here.write("sub", "a file\n");
  await expect(writeOutputs(io, [a, b], false)).rejects.toThrow(
    'cannot look at "sub/b": not a dir',
  );
  await expect(writeOutputs(io, [a, b], true)).rejects.toThrow('cannot write "sub/b"');
  expect(await here.files()).toEqual(["sub"]);
});

test("the early look refuses as the writing would", async () => {
  await here.write("a", "old\n");
  await expect(refuseExisting(io, ["-", "a"], false)).rejects.toThrow('file "a" already exists');
  await expect(refuseExisting(io, ["-", "a"], true)).resolves.toBeUndefined();
});

test("a file of the program's own is replaced where a symbolic link leads", async () => {
  await mkdir(join(here.cwd, "dotfiles"));
  await here.write("dotfiles/config", "old\n");
  await symlink("dotfiles/config", join(here.cwd, "config"));
  await replaceFile(io, { path: "config", content: "new\n" });
  expect(await readlink(join(here.cwd, "config"))).toBe("dotfiles/config");
  expect(await here.read("dotfiles/config")).toBe("new\n");
  expect((await stat(join(here.cwd, "dotfiles/config"))).mode & 0o777).toBe(0o600);
});
