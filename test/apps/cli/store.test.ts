/** `trustplane store`: who may be served what, where, and how a store is copied. */
import { credentials, status } from "@grpc/grpc-js";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { at } from "#runtime";
import { StateClient, type WireResource } from "#runtime/rpc";
import { bench, type Bench, type Outcome } from "./harness.ts";
import { freePort } from "./listening-node.ts";

let here: Bench;
beforeEach(async () => {
  here = await bench(at("2030-01-01"));
});
afterEach(() => here[Symbol.asyncDispose]());

/** Serves a store for as long as it is used. */
async function serving(
  store: string,
  listen: string,
  use: (client: StateClient, said: string) => Promise<void>,
): Promise<Outcome> {
  const abort = new AbortController();
  const { promise: said, resolve: onStdout } = Promise.withResolvers<string>();
  const argv = ["store", "serve", "--store", store, "--listen", listen];
  const run = here.runWith({ signal: abort.signal, onStdout }, ...argv);
  const line = await Promise.race([
    said,
    run.then(({ stderr }) => Promise.reject(new Error(stderr))),
  ]);
  const client = new StateClient(/ on (.*)\n/.exec(line)?.[1] ?? "", credentials.createInsecure());
  try {
    await use(client, line);
  } finally {
    client.close();
    abort.abort();
  }
  return run;
}

const saying = (text: string) => expect.stringContaining(text) as string;
const matching = (pattern: RegExp) => expect.stringMatching(pattern) as string;

const nobody = async () => undefined;
const serve = (store: string, listen = "unix:s") =>
  here.run("store", "serve", "--store", store, "--listen", listen);

/** A resource of a kind that nobody here knows. */
const resource = (id: string, { type = "Things.example.dev", yaml = "" } = {}): WireResource => ({
  metadata: {
    ...{ namespace: "default", type, id, version: "undefined", owner: "", phase: "running" },
    ...{ created: undefined, updated: undefined, finalizers: [], labels: {}, annotations: {} },
  },
  spec: { protoSpec: Buffer.from([0, 0xff, 0xc3, 0x28]), yamlSpec: yaml },
});

const create = (client: StateClient, made: WireResource) =>
  new Promise<void>((resolve, reject) => {
    client.create({ resource: made, options: undefined }, (error) =>
      error ? reject(error) : resolve(),
    );
  });

const specOf = (client: StateClient, id: string) =>
  new Promise((resolve, reject) => {
    const address = { namespace: "default", type: "Things.example.dev", id, options: undefined };
    client.get(address, (error, reply) => (error ? reject(error) : resolve(reply.resource?.spec)));
  });

describe("serve", () => {
  test("a file is served on a socket for its user alone, and kinds that it does not know are kept verbatim", async () => {
    const yaml = "a:   [1, 0x2]   # odd\n";
    const first = await serving("sqlite:state.db", "unix:s", async (client, said) => {
      expect(said).toBe(`serving sqlite:state.db on unix:${join(here.cwd, "s")}\n`);
      expect(await here.mode("s")).toBe(0o600);
      expect(await here.mode("state.db")).toBe(0o600);
      await create(client, resource("a", { yaml }));
    });
    expect(first).toMatchObject({ status: 0, stderr: "" });
    expect(await here.files()).toEqual(["state.db"]);
    await serving("sqlite:state.db", "unix:s", async (client) => {
      expect(await specOf(client, "a")).toEqual({
        protoSpec: Buffer.from([0, 0xff, 0xc3, 0x28]),
        yamlSpec: yaml,
      });
    });
  });

  test("on loopback it says who else can connect", async () => {
    const port = await freePort();
    const { status, stderr } = await serving(
      "memory",
      `127.0.0.1:${port}`,
      async (client, said) => {
        expect(said).toBe(`serving memory on 127.0.0.1:${port}\n`);
        await create(client, resource("a"));
      },
    );
    expect(status).toBe(0);
    expect(stderr).toBe(
      "warning: every local user can connect to the loopback interface, read and write; " +
        "unix:PATH is for you alone\n",
    );
  });

  test.each([
    ...["0.0.0.0:50200", "127.0.0.2:50200", "localhost:50200", "[::1]:50200", ":50200", "unix:"],
    ...["127.0.0.1", "127.0.0.1:70000", "./socket", "tcp:127.0.0.1:50200"],
  ])("it does not listen on %j: there is no TLS", async (address) => {
    const { status, stderr } = await serve("memory", address);
    expect(status).toBe(2);
    expect(stderr).toBe(
      `error: cannot listen on ${JSON.stringify(address)}: a bare store has no TLS, so it is ` +
        "served on unix:PATH or 127.0.0.1:PORT only\n",
    );
  });

  test.each(["", "sqlite", "sqlite:", "bolt:state.db"])("%j is no store", async (store) => {
    const { status, stderr } = await serve(store);
    expect(status).toBe(2);
    expect(stderr).toContain("names no store: use memory, or sqlite:FILE");
  });

  test("the store of a node is not served", { timeout: 30_000 }, async () => {
    const config = join(import.meta.dirname, "../../fixtures/talos-demo/controlplane.yaml");
    const abort = new AbortController();
    const up = ["up", "--config", config, "--api-port", String(await freePort())];
    const world = { signal: abort.signal, onStdout: () => abort.abort() };
    expect(await here.runWith(world, ...up)).toMatchObject({ status: 0 });
    const { status, stderr } = await serve("sqlite:.trustplane/state.db");
    expect(status).toBe(1);
    expect(stderr).toMatch(/state\.db has the kind .*, which is sensitive: it belongs to a node/);
    expect(stderr).toMatch(/\nhint: name a file of its own/);
    expect(await here.files()).not.toContain("s");
  });

  test("a store that holds a kind that is sensitive is not served again", async () => {
    const type = "ResourceDefinitions.meta.cosi.dev";
    await serving("sqlite:a.db", "unix:s", async (client) => {
      const definition = resource("keys.example.dev", { type, yaml: "sensitivity: sensitive\n" });
      if (definition.metadata) definition.metadata.namespace = "meta";
      await create(client, definition);
    });
    expect(await serve("sqlite:a.db")).toMatchObject({
      status: 1,
      stderr: saying("a.db has the kind keys.example.dev, which is sensitive"),
    });
    await serving("sqlite:b.db", "unix:s", async (client) => {
      const secrets = resource("os", { type: "OSRootSecrets.secrets.talos.dev" });
      if (secrets.metadata) secrets.metadata.namespace = "secrets";
      await create(client, secrets);
    });
    expect(await serve("sqlite:b.db")).toMatchObject({
      status: 1,
      stderr: saying("b.db holds OSRootSecrets.secrets.talos.dev"),
    });
  });

  test("an address that is taken, or cannot be, is said with what helps", async () => {
    await serving("memory", "unix:s", async () => {
      expect(await serve("memory")).toMatchObject({
        status: 1,
        stderr: matching(/s: it is in use\nhint: stop what listens there/),
      });
    });
    await here.write("file", "mine");
    expect((await serve("memory", "unix:file")).stderr).toMatch(
      /file: there is a file that is no socket\nhint: name another path/,
    );
    expect(await here.read("file")).toBe("mine");
    expect((await serve("memory", "unix:none/s")).stderr).toMatch(
      /its directory does not exist\nhint: make it, for this user alone: mkdir -m 700 /,
    );
    expect((await serve("memory", `unix:${"x".repeat(120)}`)).stderr).toMatch(
      /too long for a socket\nhint: name a shorter one/,
    );
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const address = other.address() as { port: number };
    expect((await serve("memory", `127.0.0.1:${address.port}`)).stderr).toContain("it is in use");
    other.close();
  });

  test("the socket of a server that was killed is no obstacle", async () => {
    const launcher = join(import.meta.dirname, "../../../bin/trustplane");
    const argv = ["store", "serve", "--store", "memory", "--listen", "unix:s"];
    const child = spawn(launcher, argv, { cwd: here.cwd, stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout, "data");
    child.kill("SIGKILL");
    await once(child, "close");
    expect(await here.files()).toEqual(["s"]);
    expect(await serving("memory", "unix:s", nobody)).toMatchObject({ status: 0 });
  });
});

describe("backup and restore", () => {
  test("a copy is a store again, and neither is written over", async () => {
    await serving("sqlite:state.db", "unix:s", (client) => create(client, resource("a")));
    expect(await here.run("store", "backup", "state.db", "copy.db")).toEqual({
      status: 0,
      stdout: "state.db is copied to copy.db\n",
      stderr: "",
    });
    expect(await here.mode("copy.db")).toBe(0o600);
    expect(await here.run("store", "restore", "copy.db", "new/state.db")).toEqual({
      status: 0,
      stdout: "new/state.db is restored from copy.db\n",
      stderr: "",
    });
    await serving("sqlite:new/state.db", "unix:s", async (client) => {
      expect(await specOf(client, "a")).toMatchObject({ yamlSpec: "" });
      await expect(specOf(client, "b")).rejects.toMatchObject({ code: status.NOT_FOUND });
    });
    for (const [verb, from, to] of [
      ["backup", "state.db", "copy.db"],
      ["restore", "copy.db", "state.db"],
    ] as const) {
      const { status, stderr } = await here.run("store", verb, from, to);
      expect(status).toBe(1);
      expect(stderr).toMatch(
        /there is a file .* already, and it is not written over: name another/,
      );
    }
  });

  test("a store that is in use, missing or damaged is said, and nothing is made", async () => {
    await serving("sqlite:state.db", "unix:s", async () => {
      for (const verb of ["backup", "restore"])
        expect(await here.run("store", verb, "state.db", "copy.db")).toMatchObject({
          status: 1,
          stderr: saying("in use"),
        });
    });
    await here.write("odd.db", "no database, but more than a hundred bytes".repeat(50));
    for (const verb of ["backup", "restore"]) {
      expect(await here.run("store", verb, "none.db", "copy.db")).toMatchObject({
        status: 1,
        stderr: saying("none.db"),
      });
      expect(await here.run("store", verb, "odd.db", "copy.db")).toMatchObject({
        status: 1,
        stderr: saying("damaged or no database at all"),
      });
    }
    expect((await here.files()).filter((name) => /copy|none/.test(name))).toEqual([]);
  });

  test("the examples of the help work when they are pasted", async () => {
    await serving("sqlite:./state.db", "unix:./state.sock", nobody);
    for (const verb of ["backup", "restore"]) {
      const { stdout } = await here.run("store", verb, "--help");
      const [, example = ""] = /^ {2}\$ trustplane (.*)$/m.exec(stdout) ?? [];
      expect(await here.run(...example.split(" "))).toMatchObject({ status: 0, stderr: "" });
    }
  });
});
