/**
 * The package as its users have it: installed from the tarball into a JavaScript and a TypeScript
 * project, on the oldest Node.js that it is for and on the one that it is developed with.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { type LongCase } from "./case.ts";
import { execute } from "./node.ts";

const root = join(import.meta.dirname, "../..");
const NODES = ["22.18.0", "24.20.0"] as const;
/** A user's npm does not have the settings of ours. */
const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)),
);
const EXAMPLE = "load-balancer";
const EXPECTED = "created web running 192.0.2.1:80 192.0.2.2:80";

export const packaged: LongCase = {
  name: "package",
  async run({ scratch }) {
    const tarball = await pack(scratch);
    const typescript = join(scratch, "typescript");
    const javascript = join(scratch, "javascript");
    const { devDependencies: ours } = JSON.parse(
      await readFile(join(root, "package.json"), "utf8"),
    ) as { devDependencies: Record<string, string> };
    await project(typescript, [
      tarball,
      "zod@4",
      ...["typescript", "@types/node"].map((name) => `${name}@${ours[name] ?? ""}`),
    ]);
    await project(javascript, [tarball, "zod@4"]);
    await compileExample(typescript, javascript);
    await checkLinks(join(javascript, "node_modules/trustplane"));
    await checkImports(join(javascript, "node_modules/trustplane/dist"));
    const ran: string[] = [];
    for (const version of NODES) {
      const node = await nodeOf(scratch, version);
      for (const directory of [typescript, javascript]) {
        const { stdout } = await execute(node, [`${EXAMPLE}.js`], { cwd: directory });
        if (!stdout.startsWith(EXPECTED))
          throw new Error(`on Node ${version} it printed ${stdout}`);
      }
      await tryTheRest(node, version, javascript);
      ran.push(version);
    }
    return `installed, compiled, and run on Node.js ${ran.join(" and ")}`;
  },
};

async function pack(scratch: string): Promise<string> {
  await execute("npm", ["pack", "--pack-destination", scratch], { cwd: root });
  const name = (await readdir(scratch)).find((file) => file.endsWith(".tgz"));
  if (name === undefined) throw new Error("npm pack made no tarball");
  return join(scratch, name);
}

async function project(directory: string, packages: readonly string[]): Promise<void> {
  await mkdir(directory);
  const description = { name: "user", private: true, type: "module" };
  await writeFile(join(directory, "package.json"), JSON.stringify(description));
  await execute("npm", ["install", "--no-audit", "--no-fund", ...packages], {
    cwd: directory,
    env: environment,
  });
}

/** The user's own compiler, as strict as can be; the other project gets what it made. */
async function compileExample(typescript: string, javascript: string): Promise<void> {
  const shipped = join(typescript, "node_modules/trustplane/examples", `${EXAMPLE}.ts`);
  await cp(shipped, join(typescript, `${EXAMPLE}.ts`));
  const options = ["--strict", "--module", "nodenext", "--target", "es2022", "--types", "node"];
  const lib = ["--lib", "es2023,esnext.disposable"];
  await execute("npx", ["tsc", ...options, ...lib, `${EXAMPLE}.ts`], { cwd: typescript });
  await cp(join(typescript, `${EXAMPLE}.js`), join(javascript, `${EXAMPLE}.js`));
}

/** What the documents of the package lead to is in the package. */
async function checkLinks(installed: string): Promise<void> {
  const names = [...(await readdir(join(installed, "docs"))).map((name) => `docs/${name}`)];
  for (const name of [...names, "README.md", "CHANGELOG.md"]) {
    const text = await readFile(join(installed, name), "utf8");
    for (const [, target = ""] of text.matchAll(/\]\(([^)\s#]+)[^)]*\)/g))
      if (!/^[a-z]+:/.test(target)) await stat(join(installed, dirname(name), target));
  }
}

/** No module asks for a source. */
async function checkImports(built: string): Promise<void> {
  const names = await readdir(built, { recursive: true });
  for (const name of names.filter((each) => each.endsWith(".js"))) {
    const found = /\b(?:from|import\() *"(?<source>[^"]*\.ts)"/.exec(
      await readFile(join(built, name), "utf8"),
    );
    if (found) throw new Error(`${name} imports ${found.groups?.source ?? ""}`);
  }
}

/** A Node.js of its own: nothing of this machine's is used. */
async function nodeOf(scratch: string, version: string): Promise<string> {
  const directory = join(scratch, `node-${version}`);
  await mkdir(directory);
  const description = { private: true, allowScripts: { node: true } };
  await writeFile(join(directory, "package.json"), JSON.stringify(description));
  const flags = ["--no-audit", "--no-fund"];
  await execute("npm", ["install", ...flags, `node@${version}`], {
    cwd: directory,
    env: environment,
  });
  const node = join(directory, "node_modules/node/bin/node");
  const { stdout } = await execute(node, ["--version"]);
  if (stdout.trim() !== `v${version}`) throw new Error(`Node ${version} says it is ${stdout}`);
  return node;
}

const STORE = `
import { defineResource } from "trustplane/runtime";
import { openMemoryStore, openSqliteStore } from "trustplane/runtime/store";
import { openRemoteStore } from "trustplane/runtime/store/remote";
import { storeConformance } from "trustplane/conformance";
import { createRequire } from "node:module";
import { z } from "zod";
const [path, address] = process.argv.slice(2);
const spec = z.object({ text: z.string() });
const Note = defineResource({ type: "Notes.example.dev", namespace: "n", spec });
for (const store of [await openSqliteStore({ path }), openRemoteStore({ address, kinds: [Note] })]) {
  await store.create(Note, "a", { text: "kept" });
  console.log((await store.get(Note, "a")).spec.text);
  await store.close();
}
for (const { run } of storeConformance) await run(async (options) => openMemoryStore(options));
console.log(storeConformance.length > 50);
const required = createRequire(import.meta.url)("trustplane/runtime"); // from CommonJS
console.log(required.defineResource === defineResource);
`;

/** Stores from plain JavaScript, and the command that the package installs. */
async function tryTheRest(node: string, version: string, directory: string): Promise<void> {
  const env = { ...environment, PATH: [dirname(node), process.env.PATH].join(delimiter) };
  const options = { cwd: directory, env };
  const command = join(directory, "node_modules/.bin/trustplane");
  await writeFile(join(directory, "store.js"), STORE);
  const socket = `unix:${join(directory, `${version}.sock`)}`;
  const serving = ["store", "serve", "--store", "memory", "--listen", socket];
  const server = spawn(command, serving, { ...options, stdio: ["ignore", "pipe", "inherit"] });
  try {
    const address = await addressOf(server);
    const { stdout } = await execute(node, ["store.js", `${version}.db`, address], options);
    if (stdout !== "kept\nkept\ntrue\ntrue\n")
      throw new Error(`on Node ${version} the stores had ${stdout}`);
  } finally {
    server.kill();
    if (server.exitCode === null) await once(server, "exit");
  }
  const { stdout } = await execute(command, ["gen", "secrets", "-o", "-"], options);
  if (!stdout.includes("trustdinfo:"))
    throw new Error(`on Node ${version} gen secrets made ${stdout}`);
}

/** Where a server listens, by its first line. */
async function addressOf({ stdout }: ChildProcess): Promise<string> {
  let output = "";
  for await (const chunk of stdout ?? []) {
    output += String(chunk);
    const address = /serving memory on (\S+)\n/.exec(output)?.[1];
    if (address !== undefined) return address;
  }
  throw new Error(`the server ended with ${output}`);
}
