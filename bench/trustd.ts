/** A node that signs for others, as a process of its own: `trustplane up` with what it needs. */
import { generateMachineConfigs, issueBundle, type SecretsBundle } from "#config";
import {
  authorityPem,
  authorityProfiles,
  issueAuthority,
  leafIssuer,
  leafProfiles,
  webCryptoKeys,
} from "#pki";
import { systemClock, systemRandom } from "#runtime";
import { writeFile } from "node:fs/promises";
import { connect, createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { launcher } from "./checkout.ts";
import type { Program } from "./child.ts";

const keys = webCryptoKeys();
const HOST = "127.0.0.40";
const VERSION = "v1.13";

/** A node that is about to be started. */
export interface TrustdNode {
  readonly program: Program;
  /** Of trustd. */
  readonly address: string;
  readonly isUp: () => Promise<boolean>;
}

/** Writes what a node and who asks it need: `cp.yaml`, `ca.crt`, `token` and more. Its authority is of P-256. */
export async function prepareTrustd(directory: string): Promise<TrustdNode> {
  const bundle = await bundleOfP256();
  const sources = { clusterName: "bench", endpoint: `https://${HOST}:6443`, bundle };
  const { controlplane } = generateMachineConfigs({ ...sources, talosVersion: VERSION });
  const { os } = bundle.certs;
  const server = await leafIssuer({ keys, random: systemRandom })({
    ...{ profile: leafProfiles.trustdServer, authority: os, ipAddresses: [HOST] },
    now: systemClock.now(),
  });
  const files = {
    "cp.yaml": controlplane,
    token: bundle.trustdInfo.token,
    ...{ "ca.crt": os.crt, "ca.key": os.key }, // the key, and the server's, for Go's side
    ...{ "server.crt": server.crt, "server.key": server.key },
  };
  for (const [name, text] of Object.entries(files))
    await writeFile(join(directory, name), text, { mode: 0o600 });
  const [apiPort, trustdPort] = await freePorts(2);
  const args = [
    ...["up", "--config", join(directory, "cp.yaml"), "--state-dir", join(directory, "state")],
    ...["--time-source", "none", "--api-address", HOST, "--api-port", String(apiPort)],
    ...["--trustd-port", String(trustdPort)],
  ];
  return {
    program: { file: launcher, args },
    address: `${HOST}:${trustdPort}`,
    isUp: () => answers(HOST, trustdPort!),
  };
}

async function bundleOfP256(): Promise<SecretsBundle> {
  const means = { keys, random: systemRandom, now: systemClock.now() };
  const bundle = await issueBundle({ ...means, talosVersion: VERSION });
  const profile = { ...authorityProfiles.os, keyAlgorithm: "P-256" } as const;
  const os = await authorityPem(await issueAuthority(profile, means));
  return { ...bundle, certs: { ...bundle.certs, os } };
}

/** Ports that nobody listens on now. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  for (const server of servers) await new Promise((resolve) => server.close(resolve));
  return ports;
}

const answers = (host: string, port: number) =>
  new Promise<boolean>((resolve) => {
    const probe = connect({ host, port });
    probe.once("connect", () => resolve(true)).once("error", () => resolve(false));
    probe.once("connect", () => probe.destroy());
  });
