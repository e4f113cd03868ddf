/** OpenSSL serves with each server leaf and accepts each client leaf: a real handshake for each pair. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import type { LongCase } from "./case.ts";
import { execute, freePort, startNode } from "./node.ts";

interface Pair {
  readonly ca: string;
  readonly server: string;
  readonly client: string;
}

const pairs: readonly Pair[] = [
  { ca: "talos/ca", server: "talos/apid", client: "talos/apid-client" },
  { ca: "talos/ca", server: "talos/trustd", client: "talos/apid-client" },
  {
    ca: "kubernetes/pki/ca",
    server: "kubernetes/pki/apiserver",
    client: "kubernetes/pki/apiserver-kubelet-client",
  },
  {
    ca: "kubernetes/pki/etcd/ca",
    server: "kubernetes/pki/etcd/server",
    client: "kubernetes/pki/apiserver-etcd-client",
  },
  {
    ca: "kubernetes/pki/etcd/ca",
    server: "kubernetes/pki/etcd/peer",
    client: "kubernetes/pki/etcd/peer",
  },
];

export const opensslServers: LongCase = {
  name: "openssl-servers",
  async run({ scratch }) {
    const pki = join(scratch, "node/pki");
    const node = await startNode({ stateDir: join(scratch, "node"), port: await freePort() });
    try {
      for (const pair of pairs) await handshake(pki, pair);
    } finally {
      node.kill("SIGTERM");
      await node.ended;
    }
    return `${String(pairs.length)} mutual handshakes, each side verified`;
  },
};

async function handshake(pki: string, { ca, server, client }: Pair): Promise<void> {
  const port = String(await freePort());
  const file = (name: string) => join(pki, name);
  const listener = spawn(
    "openssl",
    ["s_server", "-accept", `127.0.0.1:${port}`, "-naccept", "1", "-Verify", "1"].concat(
      ["-verify_return_error", "-CAfile", file(`${ca}.crt`)],
      ["-cert", file(`${server}.crt`), "-key", file(`${server}.key`)],
    ),
    { stdio: ["pipe", "pipe", "ignore"] },
  );
  try {
    await new Promise<void>((resolve, reject) => {
      listener.stdout.once("data", () => {
        resolve(); // "ACCEPT"
      });
      listener.once("exit", (code) => {
        reject(new Error(`s_server ended with ${String(code)}`));
      });
    });
    const { stdout } = await execute(
      "sh",
      [
        "-c",
        'exec openssl s_client -connect "127.0.0.1:$0" -verify_return_error -verify_ip 127.0.0.1 ' +
          '-CAfile "$1" -cert "$2" -key "$3" </dev/null',
        port,
        file(`${ca}.crt`),
        file(`${client}.crt`),
        file(`${client}.key`),
      ],
      { timeout: 20_000 },
    );
    if (!stdout.includes("Verify return code: 0 (ok)")) throw new Error(`${server}: ${stdout}`);
  } finally {
    listener.kill("SIGKILL");
  }
}
