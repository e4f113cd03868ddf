/** A real node as a process of its own, and what its files must fulfil. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";

export const root = join(import.meta.dirname, "../..");
export const trustplane = join(root, "bin/trustplane");
export const execute = promisify(execFile);

export interface RunningNode {
  readonly process: ChildProcess;
  readonly port: number;
  /** The status table, as it was printed. */
  readonly table: string;
  /** Resolves with exit status or signal. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
  kill(signal: NodeJS.Signals): void;
}

/** Starts a node and waits until its table is printed. */
export async function startNode(options: {
  readonly stateDir: string;
  readonly port: number;
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}): Promise<RunningNode> {
  const { stateDir, port, flags = [], env = {} } = options;
  const ports = ["--api-port", String(port), "--trustd-port", String(await freePort())];
  const child = spawn(
    trustplane,
    ["up", "--state-dir", stateDir, ...ports, "--time-source", "none", ...flags],
    { cwd: root, stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } },
  );
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.on("exit", (code, signal) => {
      resolve(code ?? signal);
    });
  });
  const table = await new Promise<string>((resolve, reject) => {
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (output.includes("apid-server") && output.endsWith("\n")) resolve(output);
    });
    void ended.then((status) => {
      reject(new Error(`the node ended with ${String(status)} before its table: ${errors}`));
    });
  });
  return {
    process: child,
    port,
    table,
    ended,
    kill(signal) {
      child.kill(signal);
    },
  };
}

/** A port that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** Which authority's file each leaf has to verify under. */
const authorities: Readonly<Record<string, string>> = {
  "talos/apid.crt": "talos/ca.crt",
  "talos/apid-client.crt": "talos/ca.crt",
  "talos/trustd.crt": "talos/ca.crt",
  "kubernetes/pki/apiserver.crt": "kubernetes/pki/ca.crt",
  "kubernetes/pki/apiserver-kubelet-client.crt": "kubernetes/pki/ca.crt",
  "kubernetes/pki/apiserver-etcd-client.crt": "kubernetes/pki/etcd/ca.crt",
  "kubernetes/pki/front-proxy-client.crt": "kubernetes/pki/front-proxy-ca.crt",
  "kubernetes/pki/etcd/server.crt": "kubernetes/pki/etcd/ca.crt",
  "kubernetes/pki/etcd/peer.crt": "kubernetes/pki/etcd/ca.crt",
  "kubernetes/pki/etcd/healthcheck-client.crt": "kubernetes/pki/etcd/ca.crt",
};

/** Fails unless every leaf on disk has its key beside it and verifies by openssl. */
export async function checkFiles(pkiDir: string): Promise<number> {
  for (const [leaf, authority] of Object.entries(authorities)) {
    const certificate = new X509Certificate(await readFile(join(pkiDir, leaf)));
    const pem = await readFile(join(pkiDir, leaf.replace(/\.crt$/, ".key")), "utf8");
    const key = createPrivateKey(pem.replaceAll("ED25519 PRIVATE", "PRIVATE"));
    if (!certificate.checkPrivateKey(key)) throw new Error(`${leaf}: its key is another one's`);
    await execute("openssl", ["verify", "-CAfile", join(pkiDir, authority), join(pkiDir, leaf)]);
  }
  for (const directory of ["talos", "kubernetes", "kubernetes/pki", "kubernetes/pki/etcd"]) {
    const sets = (await readdir(join(pkiDir, directory))).filter((name) => /^\.\.\d/.test(name));
    if (sets.length !== 1) throw new Error(`${directory} has ${String(sets.length)} sets, not one`);
  }
  return Object.keys(authorities).length;
}
