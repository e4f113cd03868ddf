/** A real etcd serves with our certificates, for clients and peers, and etcdctl talks to it with ours. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { type LongCase, SkipError } from "./case.ts";
import { execute, freePort, startNode } from "./node.ts";

export const etcdServer: LongCase = {
  name: "etcd-server",
  async run({ scratch }) {
    const version = await execute("etcd", ["--version"]).catch(() => undefined);
    if (!version) throw new SkipError("etcd is not installed (Debian: etcd-server, etcd-client)");
    const node = await startNode({ stateDir: join(scratch, "node"), port: await freePort() });
    try {
      const pki = join(scratch, "node/pki/kubernetes/pki/etcd");
      return await serveAndAsk(pki, join(scratch, "etcd"));
    } finally {
      node.kill("SIGTERM");
      await node.ended;
    }
  },
};

async function serveAndAsk(pki: string, data: string): Promise<string> {
  const client = `https://127.0.0.1:${String(await freePort())}`;
  const peer = `https://127.0.0.1:${String(await freePort())}`;
  const tls = (prefix: string, name: string) => [
    `--${prefix}cert-file=${join(pki, `${name}.crt`)}`,
    `--${prefix}key-file=${join(pki, `${name}.key`)}`,
    `--${prefix}trusted-ca-file=${join(pki, "ca.crt")}`,
    `--${prefix}client-cert-auth=true`,
  ];
  const etcd = spawn(
    "etcd",
    [`--data-dir=${data}`, "--name=default", "--log-level=info"].concat(
      [`--listen-client-urls=${client}`, `--advertise-client-urls=${client}`],
      [`--listen-peer-urls=${peer}`, `--initial-advertise-peer-urls=${peer}`],
      [`--initial-cluster=default=${peer}`],
      tls("", "server"),
      tls("peer-", "peer"),
    ),
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  try {
    await new Promise<void>((resolve, reject) => {
      let log = "";
      etcd.stderr.setEncoding("utf8").on("data", (text: string) => {
        log += text;
        if (/ready to serve client requests|serving client traffic securely/.test(log)) resolve();
      });
      etcd.once("exit", (code) => {
        reject(new Error(`etcd ended with ${String(code)}: ${log.slice(-2000)}`));
      });
    });
    const ask = (name: string, ...verb: string[]) =>
      execute(
        "etcdctl",
        [`--endpoints=${client}`, `--cacert=${join(pki, "ca.crt")}`].concat(
          [`--cert=${join(pki, `${name}.crt`)}`, `--key=${join(pki, `${name}.key`)}`],
          verb,
        ),
        { env: { ...process.env, ETCDCTL_API: "3" } },
      );
    await ask("healthcheck-client", "put", "greeting", "hello");
    const { stdout } = await ask("../apiserver-etcd-client", "get", "greeting");
    if (!stdout.includes("hello")) throw new Error(`etcd answered ${JSON.stringify(stdout)}`);
    return "put by healthcheck-client, got by apiserver-etcd-client";
  } finally {
    etcd.kill("SIGTERM");
  }
}
