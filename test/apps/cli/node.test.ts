/** The verbs that talk to nodes, against two nodes that are really there. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { writeTalosconfig } from "#config";
import { CertificateStatus } from "#resources";
import { days, systemClock } from "#runtime";
import { issueClient, issueRoot } from "../apid/running-node.ts";
import { bench, type Bench } from "./harness.ts";
import { startNode, status, type Received } from "./listening-node.ts";

const [ONE, TWO] = ["127.0.0.1", "127.0.0.2"] as const;
const received: Received[] = [];
let root: Awaited<ReturnType<typeof issueRoot>>;
const nodes: Awaited<ReturnType<typeof startNode>>[] = [];

beforeAll(async () => {
  root = await issueRoot();
  nodes.push(await startNode(root, { address: ONE, id: "apid-server", received }));
  nodes.push(await startNode(root, { address: TWO, id: "etcd-server", received }));
});
afterAll(async () => {
  for (const { apid, store } of nodes) {
    await apid.close();
    await store.close();
  }
});

let here: Bench;
beforeEach(async () => {
  here = await bench(systemClock.now());
  received.length = 0;
  await talosconfig(await issueClient(root));
});
afterEach(() => here[Symbol.asyncDispose]());

const endpoints = () => [ONE, TWO].map((address, i) => `${address}:${nodes[i]?.apid.port ?? 0}`);

async function talosconfig(identity: { crt: string; key: string }): Promise<void> {
  const context = { endpoints: endpoints(), nodes: [ONE], ca: root.crt, ...identity };
  await here.write("tc", writeTalosconfig({ context: "test", contexts: { test: context } }));
}

const run = (...argv: string[]) => here.runWith({ env: { TALOSCONFIG: "tc" } }, ...argv);
const BOTH = ["-n", `${ONE},${TWO}`];

describe("get", () => {
  test("a table; aliases, plurals and full types name a kind, whatever their case", async () => {
    const { status: exit, stdout, stderr } = await run("get", "certificatestatus");
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
    expect(stdout).toBe(
      [
        "NODE        NAMESPACE   TYPE                ID            VERSION   SUBJECT       NOT AFTER              RENEW AT               STATE",
        "127.0.0.1   secrets     CertificateStatus   apid-server   1         CN = node-1   2030-01-02T00:00:00Z   2030-01-01T12:00:00Z   Valid",
        "",
      ].join("\n"),
    );
    const full = "certificatestatuses.secrets.talos.dev";
    for (const word of ["certstatus", "CertificateStatuses", full])
      expect((await run("get", word)).stdout).toBe(stdout);
  });

  test("yaml and json, one resource", async () => {
    const yaml = await run("get", "certstatus", "apid-server", "-o", "yaml");
    expect(yaml.status).toBe(0);
    expect(yaml.stdout).toMatch(/^node: 127\.0\.0\.1\nmetadata:\n {4}namespace: secrets\n/);
    expect(parse(yaml.stdout)).toMatchObject({ spec: { state: "Valid", serialNumber: "0a" } });
    const json = await run("get", "certstatus", "apid-server", "-o", "json");
    expect(JSON.parse(json.stdout)).toMatchObject({
      node: ONE,
      metadata: { id: "apid-server", version: 1, owner: null },
      spec: status,
    });
  });

  test("rd lists the kinds with their aliases", async () => {
    const { stdout } = await run("get", "rd");
    expect(stdout).toMatch(/^NODE +NAMESPACE +TYPE +ID +VERSION +ALIASES\n/);
    expect(stdout).toMatch(
      / certificatestatuses\.secrets\.talos\.dev +1 +certstatus cs certificatestatus/,
    );
  });

  test("an empty namespace is a table without rows", async () => {
    const { status: exit, stdout } = await run("get", "certstatus", "--namespace", "config");
    expect(exit).toBe(0);
    expect(stdout.split("\n")).toHaveLength(2);
  });

  test("a word that names no kind, and an id that is not there", async () => {
    expect(await run("get", "certs")).toEqual({
      status: 1,
      stdout: "",
      stderr: 'error: resource "certs" is not registered; trustplane get rd lists what is\n',
    });
    const missing = await run("get", "certstatus", "missing");
    expect({ status: missing.status, stdout: missing.stdout }).toEqual({ status: 1, stdout: "" });
    expect(missing.stderr).toMatch(/^error: rpc error: code = NotFound desc = /);
  });

  test("a slip of the pen in a kind: the nearest one is named", async () => {
    const { status: exit, stderr } = await run("get", "certificatestats");
    expect(exit).toBe(1);
    expect(stderr).toMatch(/^error: resource "certificatestats" is not registered; .*\nhint: did/);
    expect(stderr).toContain("hint: did you mean certificatestatus?\n");
    expect((await run("get", "zzzzzzzz")).stderr).not.toContain("hint");
  });

  test.each([[["apid-server", "certstatus"]], [["certstatus/apid-server"]]])(
    "%j: the right order is named",
    async (words) => {
      const { status: exit, stderr } = await run("get", ...words);
      expect(exit).toBe(1);
      expect(stderr).toContain(
        "hint: KIND first, then ID, without a slash: trustplane get certstatus apid-server\n",
      );
    },
  );

  test("several nodes: each has its rows, in the order they were named", async () => {
    const { status: exit, stdout } = await run("get", "certstatus", "-n", TWO, "-n", ONE);
    expect(exit).toBe(0);
    const rows = stdout.split("\n").map((line) => line.split(/ {3,}/));
    expect(rows.map(([node, , , id]) => [node, id])).toEqual([
      ["NODE", "ID"],
      [TWO, "etcd-server"],
      [ONE, "apid-server"],
      ["", undefined],
    ]);
    const yaml = await run("get", "certstatus", "-o", "yaml", ...BOTH);
    expect(parseAllDocuments(yaml.stdout)).toHaveLength(2);
  });

  test("an error on one node is told with its name, stops no other, and decides the status", async () => {
    for (const nodeFlag of [BOTH, ["-n", `${TWO},${ONE}`]]) {
      const outcome = await run("get", "certstatus", "etcd-server", ...nodeFlag);
      expect(outcome.status).toBe(1);
      expect(outcome.stdout).toContain("127.0.0.2   secrets     CertificateStatus   etcd-server");
      expect(outcome.stderr).toMatch(
        /^error: 127\.0\.0\.1: rpc error: code = NotFound desc = .*\n$/,
      );
    }
  });

  test("a node that nobody speaks for is an error, also as the first of several", async () => {
    const outcome = await run("get", "certstatus", "-n", `192.0.2.1,${TWO}`);
    expect(outcome.status).toBe(1);
    expect(outcome.stdout).toContain("etcd-server");
    expect(outcome.stderr).toContain("error: 192.0.2.1: ");
  });

  test("the flags may stand before the verb; those behind it win", async () => {
    expect((await run("-n", TWO, "get", "certstatus")).stdout).toContain("etcd-server");
    expect((await run("-n", TWO, "get", "certstatus", "-n", ONE)).stdout).toContain("apid-server");
  });
});

describe("get -w", () => {
  /** Runs until the output satisfies the last condition; each is met by what the step before did. */
  async function watching(
    argv: readonly string[],
    steps: readonly { readonly until: string; readonly then: () => unknown }[],
  ) {
    const abort = new AbortController();
    let seen = "";
    let step = 0;
    const outcome = await here.runWith(
      {
        env: { TALOSCONFIG: "tc" },
        signal: abort.signal,
        onStdout(text) {
          seen += text;
          const waiting = steps[step];
          if (waiting === undefined || !seen.includes(waiting.until)) return;
          step++;
          waiting.then();
          if (step === steps.length) abort.abort();
        },
      },
      "get",
      "certstatus",
      "-w",
      ...argv,
    );
    return outcome;
  }
  const store = () => nodes[0]!.store;

  test("first what is there, then each change, until it is interrupted", async () => {
    const {
      status: exit,
      stdout,
      stderr,
    } = await watching(
      [],
      [
        { until: "apid-server", then: () => store().create(CertificateStatus, "late", status) },
        {
          until: "late",
          then: () =>
            store().modify(CertificateStatus, "late", (draft) => void (draft.state = "Expired")),
        },
        {
          until: "Expired",
          then: () => store().destroy({ ...CertificateStatus, id: "late" }),
        },
        { until: "   -   ", then: () => undefined },
      ],
    );
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
    const rows = stdout.trimEnd().split("\n");
    expect(rows.map((row) => [row[12], row.split(/ {3,}/).at(-1)])).toEqual([
      ["*", "STATE"],
      ["+", "Valid"],
      ["+", "Valid"],
      [" ", "Expired"],
      ["-", "Expired"],
    ]);
  });

  test("what is there comes in one table, as wide as its widest row", async () => {
    const wide = { ...status, subject: "CN = a name that makes the column wide" };
    await store().create(CertificateStatus, "wide", wide);
    try {
      const { stdout } = await watching([], [{ until: "wide", then: () => undefined }]);
      const rows = stdout.trimEnd().split("\n");
      expect(rows).toHaveLength(3);
      expect(new Set(rows.map((row) => row.search(/NOT AFTER|2030-/))).size).toBe(1);
    } finally {
      await store().destroy({ ...CertificateStatus, id: "wide" });
    }
  });

  test("one resource, as YAML", async () => {
    const { status: exit, stdout } = await watching(
      ["apid-server", "-o", "yaml"],
      [
        {
          until: "event: created",
          then: () =>
            store().modify(CertificateStatus, "apid-server", (draft) => void (draft.why = "soon")),
        },
        {
          until: "why: soon",
          then: () =>
            store().modify(CertificateStatus, "apid-server", (draft) => void (draft.why = "")),
        },
      ],
    );
    expect(exit).toBe(0);
    expect(parseAllDocuments(stdout)[1]?.toJS()).toMatchObject({
      event: "updated",
      spec: { why: "soon" },
    });
  });
});

describe("version", () => {
  test("a block for this program, one for the nodes", async () => {
    const { status: exit, stdout } = await run("version", ...BOTH);
    expect(exit).toBe(0);
    const [client = "", server = ""] = stdout.split("Server:\n");
    expect(client).toMatch(/^Client:\n\tTag: {9}v/);
    expect(server.match(/^\tNODE: {8}127\.0\.0\.[12]$/gm)).toHaveLength(2);
    expect(server).toMatch(
      /^\tNODE: {8}127\.0\.0\.1\n\tTag: {9}v1\.\S+\n\tSHA: {9}0123abc\n\tBuilt: {7}2030-01-01T00:00:00Z\n\tGo version: {2}.+\n\tOS\/Arch: {5}\w+\/\w+\n\tEnabled: {5}RBAC\n/,
    );
  });
});

describe("apply-config", () => {
  test("the file goes out verbatim; what nodes say comes on stderr", async () => {
    await here.write("new.yaml", "# kept\nmachine: {}\n");
    expect(await run("apply-config", "-f", "new.yaml", "--dry-run")).toEqual({
      status: 0,
      stdout: "",
      stderr: "WARNING: machine.token is odd\nChanged: machine.certSANs\n",
    });
    expect(received).toMatchObject([{ data: "# kept\nmachine: {}\n", dryRun: true }]);
  });

  test("--strict: a warning is an error, and nothing but a dry run is asked for", async () => {
    await here.write("new.yaml", "machine: {}\n");
    expect(await run("apply-config", "-f", "new.yaml", "--strict")).toEqual({
      status: 1,
      stdout: "",
      stderr: "error: 1 warning, and --strict:\n\t* machine.token is odd\n",
    });
    expect(received).toMatchObject([{ data: "machine: {}\n", dryRun: true }]);
  });

  test("what is wrong is told of the file, as it was named", async () => {
    await here.write("new.yaml", "bad: 1\n");
    const refused = await run("apply-config", "-f", "new.yaml");
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(/^error: rpc error: .* desc = new\.yaml:1: a document has/);
    const world = { env: { TALOSCONFIG: "tc" }, stdin: "bad: [\n" };
    const { stderr } = await here.runWith(world, "apply-config", "-f", "-");
    expect(stderr).toContain("desc = the standard input:1:6: the bracket [ that opens");
  });

  test("to several nodes, and from the standard input", async () => {
    const world = { env: { TALOSCONFIG: "tc" }, stdin: "machine: {}\n" };
    const { stderr } = await here.runWith(world, "apply-config", "-f", "-", ...BOTH);
    expect(received).toHaveLength(2);
    expect(stderr).toContain("WARNING: 127.0.0.2: machine.token is odd\n127.0.0.2: Changed");
  });
});

describe("config new", () => {
  test("writes a talosconfig that works, with our endpoints, for its owner only", async () => {
    const made = await run("config", "new", "reader", "--roles", "os:reader", "--crt-ttl", "48h");
    expect(made).toEqual({ status: 0, stdout: "", stderr: "Created reader\n" });
    expect(await here.mode("reader")).toBe(0o600);
    const { stdout } = await here.run("config", "info", "--talosconfig", "reader");
    expect(stdout).toContain(`Endpoints:           ${endpoints().join(", ")}\n`);
    expect(stdout).toMatch(/^Roles: {15}os:reader$/m);
    expect(stdout).toMatch(/^Certificate expires: 1 day from now/m);
    const reader = ["--talosconfig", "reader"];
    expect((await here.run("get", "certstatus", ...reader)).status).toBe(0);
    const secret = await here.run("get", "machineconfig", ...reader);
    expect(secret.status).toBe(1);
    expect(secret.stderr).toContain("PermissionDenied");
  });

  test("the nodes are those of the context, whichever is asked; without any it is said", async () => {
    const info = async (path: string) =>
      (await here.run("config", "info", "--talosconfig", path)).stdout;
    await run("config", "node", ONE, TWO);
    await run("config", "new", "both", "-n", TWO);
    expect(await info("both")).toContain(`Nodes:               ${ONE}, ${TWO}\n`);
    await run("config", "node");
    const { stderr } = await run("config", "new", "none", "-n", TWO);
    expect(stderr).toBe("Created none\nIt names no node: say which one with --nodes (-n).\n");
    expect(await info("none")).toContain("Nodes:               not defined\n");
  });

  test("refuses to overwrite, unknown roles, and several nodes", async () => {
    expect((await run("config", "new", "tc")).stderr).toBe(
      'error: talosconfig file already exists: "tc"\n',
    );
    expect((await run("config", "new", "--roles", "root")).stderr).toContain("unknown roles: root");
    expect((await run("config", "new", ...BOTH)).stderr).toContain("config new asks one node");
    expect(await here.files()).toEqual(["tc"]);
  });
});

describe("before anything is sent", () => {
  test("no nodes, no endpoints, no certificate: each says what to do", async () => {
    await here.write("tc", "context: a\ncontexts:\n    a:\n        endpoints: []\n");
    expect((await run("get", "rd")).stderr).toBe(
      "error: nodes are not set for the command: please use `--nodes` flag or configuration file " +
        "to set the nodes to run the command against\n",
    );
    expect((await run("get", "rd", "-n", "x")).stderr).toContain("failed to determine endpoints");
    expect((await run("get", "rd", "-n", "x", "-e", "y")).stderr).toContain(
      "no client certificate",
    );
  });

  test("an expired client certificate is named, with the cure", async () => {
    await talosconfig(await issueClient(root, undefined, { lifetime: days(0.01) }));
    const later = await bench((systemClock.now() + days(2)) as ReturnType<Bench["clock"]["now"]>);
    try {
      await later.write("tc", await here.read("tc"));
      const { status: exit, stderr } = await later.run("get", "rd", "--talosconfig", "tc");
      expect(exit).toBe(1);
      expect(stderr).toContain("x509: certificate has expired");
      expect(stderr).toContain('context "test" in tc');
      expect(stderr).toMatch(/^hint: issue a new talosconfig: /m);
    } finally {
      await later[Symbol.asyncDispose]();
    }
  });

  test("nobody listens: the endpoint is named", async () => {
    const { status: exit, stderr } = await run("version", "-e", "127.0.0.1:1");
    expect(exit).toBe(1);
    expect(stderr).toContain("127.0.0.1:1");
    expect(stderr).toContain("hint: ");
  });
});
