/** Holds bin/trustplane, and `npm start` on top of it, to their word: the shell becomes the program. */
import { spawn, type ChildProcess, type SpawnOptions } from "node:child_process";
import { once } from "node:events";
import { chmod, cp, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const repository = join(import.meta.dirname, "..");
const bundledNode = join(repository, "node_modules/node/bin/node");

/** What stands in for the program; `wait` keeps it running until a signal ends it. */
const program = `
const [verb, status] = process.argv.slice(2);
if (verb === "wait" || verb === "up") {
  setInterval(() => undefined, 60_000);
  if (verb === "up") process.on("SIGINT", () => process.exit(0));
}
process.exitCode = Number(status ?? 0);
console.log(JSON.stringify({
  pid: process.pid,
  arguments: process.argv.slice(2),
  flags: process.execArgv,
  node: process.execPath,
  cache: process.env.NODE_COMPILE_CACHE ?? null,
}));
`;

interface Report {
  pid: number;
  arguments: string[];
  flags: string[];
  node: string;
  cache: string | null;
}

let tree: string;
beforeEach(async () => {
  tree = await realpath(await mkdtemp(join(tmpdir(), "trustplane launcher ")));
  await mkdir(join(tree, "bin"));
  await cp(join(repository, "bin/trustplane"), join(tree, "bin/trustplane"));
});
afterEach(() => rm(tree, { recursive: true, force: true }));

const launcher = () => join(tree, "bin/trustplane");

async function put(path: string, content: string): Promise<void> {
  await mkdir(dirname(join(tree, path)), { recursive: true });
  await writeFile(join(tree, path), content);
}

async function link(target: string, path: string): Promise<string> {
  await mkdir(dirname(join(tree, path)), { recursive: true });
  await symlink(target, join(tree, path));
  return join(tree, path);
}

async function finished(child: ChildProcess) {
  if (child.stdout === null || child.stderr === null) throw new TypeError("no pipes to read");
  const [stdout, stderr] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close"),
  ]);
  return { pid: child.pid, status: child.exitCode, signal: child.signalCode, stdout, stderr };
}

const run = (command: string, args: string[], options: SpawnOptions = {}) =>
  finished(spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] }));

/** The first line that `child` prints and that is the report of the program. */
async function report(child: ChildProcess): Promise<Report> {
  if (child.stdout === null) throw new TypeError("no pipe to read");
  for await (const line of createInterface(child.stdout))
    if (line.startsWith("{")) return JSON.parse(line) as Report;
  throw new Error("the program ended without a report");
}

describe("in a checkout", () => {
  beforeEach(async () => {
    await put("package.json", `{ "type": "module" }`);
    await put("src/apps/cli/main.ts", `const typed: number = 1;${program}void typed;`);
    await link(bundledNode, "node_modules/.bin/node");
  });

  test("the sources run on the Node.js of the checkout, whatever is on the PATH", async () => {
    const { stdout, stderr } = await run(launcher(), ["exit", "0", "two words"]);
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toMatchObject({
      arguments: ["exit", "0", "two words"],
      flags: ["--conditions=trustplane-src", "--disable-warning=ExperimentalWarning"],
      node: await realpath(bundledNode),
      cache: join(tree, "node_modules/.cache/node-compile"),
    });
  });

  test("the process id and the exit status are the program's own", async () => {
    const { pid, status, stdout } = await run(launcher(), ["exit", "7"]);
    expect((JSON.parse(stdout) as Report).pid).toBe(pid);
    expect(status).toBe(7);
  });

  test("a signal reaches the program", async () => {
    const child = spawn(launcher(), ["wait"], { stdio: ["ignore", "pipe", "inherit"] });
    const closed = once(child, "close");
    expect((await report(child)).pid).toBe(child.pid);
    child.kill("SIGTERM");
    await closed;
    expect(child.signalCode).toBe("SIGTERM");
  });

  test("it is found through absolute, relative and chained symbolic links", async () => {
    const absolute = await link(launcher(), "elsewhere/absolute");
    const relative = await link("../bin/trustplane", "elsewhere/relative");
    const chained = await link("../elsewhere/relative", "further away/chained");
    const folder = join(await link(join(tree, "bin"), "elsewhere/folder"), "trustplane");
    for (const path of [absolute, relative, chained, folder])
      expect((await run(path, ["exit", "3"])).status, path).toBe(3);
    expect((await run("./chained", ["exit", "3"], { cwd: dirname(chained) })).status).toBe(3);
  });

  test("without node_modules it says what to do", async () => {
    await rm(join(tree, "node_modules"), { recursive: true });
    const { status, stdout, stderr } = await run(launcher(), []);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toContain("run npm ci first");
  });

  test("Ctrl-C ends `npm start` with status 0", async () => {
    await cp(join(repository, "package.json"), join(tree, "package.json"));
    const child = spawn("npm", ["start"], {
      cwd: tree,
      detached: true, // a process group of its own, as a terminal gives to its foreground job
      env: { ...process.env, npm_config_update_notifier: "false" },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const closed = once(child, "close");
    const { arguments: given } = await report(child);
    expect(given).toEqual(["up"]);
    const pressed = performance.now();
    process.kill(-child.pid!, "SIGINT");
    await closed;
    expect({ status: child.exitCode, signal: child.signalCode }).toEqual({
      status: 0,
      signal: null,
    });
    expect(performance.now() - pressed).toBeLessThan(2000);
  });
});

describe("in an installed package", () => {
  beforeEach(async () => {
    await put("package.json", `{ "type": "module" }`);
    await put("dist/apps/cli/main.js", program);
    // The launcher's own tools, so that the tests decide which node is on the PATH.
    for (const tool of ["dirname", "readlink"]) await link(await found(tool), join("tools", tool));
  });

  async function found(tool: string): Promise<string> {
    for (const folder of process.env.PATH!.split(delimiter)) {
      const path = await realpath(join(folder, tool)).catch(() => undefined);
      if (path !== undefined) return join(folder, tool);
    }
    throw new Error(`${tool} is not on the PATH`);
  }

  const env = () => ({ PATH: join(tree, "tools") });

  /** A node that tells this version, and prints what it is asked to run. */
  async function fakeNode(version: string): Promise<void> {
    const answer = `[ "$1" = --version ] && echo "${version}" || echo "ran $*"`;
    await put("tools/node", `#!/bin/sh\n${answer}\n`);
    await chmod(join(tree, "tools/node"), 0o755);
  }

  test("what was built runs on the user's Node.js, as one process", async () => {
    await link(bundledNode, "tools/node");
    const linked = await link("../bin/trustplane", ".bin/trustplane");
    const { pid, status, stdout, stderr } = await run(linked, ["exit", "5"], { env: env() });
    expect({ status, stderr }).toEqual({ status: 5, stderr: "" });
    expect(JSON.parse(stdout)).toMatchObject({
      pid,
      arguments: ["exit", "5"],
      flags: [],
      cache: null,
    });
  });

  test("what was compiled is kept in the user's own cache, unless another one is named", async () => {
    await link(bundledNode, "tools/node");
    const cacheWith = async (more: NodeJS.ProcessEnv) => {
      const { stdout } = await run(launcher(), ["exit", "0"], { env: { ...env(), ...more } });
      return (JSON.parse(stdout) as Report).cache;
    };
    const home = join(tree, "home");
    const other = join(tree, "other");
    expect(await cacheWith({ HOME: home })).toBe(join(home, ".cache/trustplane/node-compile"));
    expect(await cacheWith({ HOME: home, XDG_CACHE_HOME: other })).toBe(
      join(other, "trustplane/node-compile"),
    );
    expect(await cacheWith({ HOME: home, NODE_COMPILE_CACHE: other })).toBe(other);
  });

  test.each(["v22.18.0", "v22.20.1", "v24.0.0", "v100.1.0", "v25.0.0-nightly20260101"])(
    "Node.js %s is new enough",
    async (version) => {
      await fakeNode(version);
      const { status, stdout } = await run(launcher(), ["a"], { env: env() });
      expect({ status, stdout }).toEqual({
        status: 0,
        stdout: `ran ${join(tree, "dist/apps/cli/main.js")} a\n`,
      });
    },
  );

  test.each(["v22.17.1", "v20.20.2", "v9.99.0", "v0.12.18", "unheard of", ""])(
    "Node.js %j is refused",
    async (version) => {
      await fakeNode(version);
      const { status, stdout, stderr } = await run(launcher(), ["a"], { env: env() });
      expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
      expect(stderr).toContain("Node.js 22.18 or newer is needed");
      expect(stderr).toContain(version);
    },
  );

  test("no Node.js at all is told apart from an old one", async () => {
    const { status, stderr } = await run(launcher(), [], { env: env() });
    expect(status).toBe(1);
    expect(stderr).toMatch(/22\.18 or newer is needed, and there is no node on the PATH/);
  });
});
