/**
 * The calls of `talosctl rotate-ca --kubernetes=false`, in their order and without its retries, against
 * three control planes (talosctl-wire.md §2.7).
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { parse } from "yaml";
import { applyConfigPatches, generateMachineConfigs, issueBundle, readConfigPatch } from "#config";
import { type KeyedPem, readCertificate, webCryptoKeys } from "#pki";
import { systemClock, systemRandom } from "#runtime";
import { expect, test } from "vitest";
import { type Client, connect } from "../../../src/apps/client/index.ts";
import { runNode } from "../../../src/apps/node/index.ts";
import { issueClient, issueRoot } from "../apid/running-node.ts";
import { freePort } from "../cli/listening-node.ts";

const ADDRESSES = ["127.0.0.2", "127.0.0.3", "127.0.0.4"];
const MACHINE_CONFIG = {
  namespace: "config",
  type: "MachineConfigs.config.talos.dev",
  id: "v1alpha1",
};

/** Runs control planes of one cluster until the end of the test. */
async function startCluster() {
  const directory = await mkdtemp(join(tmpdir(), "trustplane-rotate-"));
  const [keys, random, now] = [webCryptoKeys(), systemRandom, systemClock.now()];
  const bundle = await issueBundle({ talosVersion: "v1.13", keys, random, now });
  const endpoint = "https://127.0.0.2:6443";
  const cluster = { clusterName: "c", endpoint, bundle, talosVersion: "v1.13" } as const;
  const file = join(directory, "controlplane.yaml");
  await writeFile(file, generateMachineConfigs(cluster).controlplane);
  const stop = new AbortController();
  const port = await freePort();
  const ends: Promise<number>[] = [];
  const start = (apiAddress: string) =>
    new Promise<void>((resolve, reject) => {
      const options = { stateDir: join(directory, apiAddress), apiAddress, apiPort: port };
      const end = runNode(
        {
          ...options,
          configFiles: [file],
          timeSource: "none",
          configOverwrite: false,
          adopt: false,
        },
        {
          stdout: () => resolve(), // what it holds is told when it serves
          stderr: () => undefined,
          stderrIsTerminal: false,
          signal: stop.signal,
        },
      );
      end.catch(reject);
      ends.push(end);
    });
  await Promise.all(ADDRESSES.map(start));
  return {
    port,
    root: bundle.certs.os,
    async [Symbol.asyncDispose]() {
      stop.abort(new Error("the test is over"));
      await Promise.allSettled(ends);
      await rm(directory, { recursive: true });
    },
  };
}

/** The issuer of what a node presents to the next client. */
const presentedBy = (host: string, port: number) =>
  new Promise<Buffer>((resolve, reject) => {
    const socket = connectTls({ host, port, rejectUnauthorized: false, ALPNProtocols: ["h2"] });
    socket.once("error", reject);
    socket.once("secureConnect", () => {
      resolve(Buffer.from(socket.getPeerX509Certificate()!.raw));
      socket.destroy();
    });
  });

const base64 = (pem: string) => Buffer.from(pem).toString("base64");

test(
  "every step succeeds at once, and nobody is cut off on the way",
  { timeout: 60_000 },
  async () => {
    await using cluster = await startCluster();
    const { port, root: old } = cluster;
    const opened: Client[] = [];
    /** One client for all nodes, as talosctl has one for each identity. */
    const clientOf = (identity: KeyedPem, trusts: KeyedPem) => {
      const clients = ADDRESSES.map((address) =>
        connect({
          ...{ endpoints: [address], port, ca: trusts.crt, ...identity },
          ...{ source: "the test", clock: systemClock },
        }),
      );
      opened.push(...clients);
      const each = <T>(ask: (client: Client, node: string) => Promise<T>) =>
        Promise.all(clients.map((client, index) => ask(client, ADDRESSES[index]!)));
      const versions = () => each((client, node) => client.version({ node }));
      const patch = async (text: string) => {
        const patches = [readConfigPatch(text)];
        for (const [index, client] of clients.entries()) {
          const node = ADDRESSES[index]!;
          const { yamlSpec } = await client.get(MACHINE_CONFIG, { node });
          const data = applyConfigPatches(parse(yamlSpec) as string, patches);
          const applied = await client.applyConfiguration({ data, mode: "no-reboot" }, { node });
          expect(applied.warnings).toEqual([]);
        }
      };
      return { clients, versions, patch };
    };

    // 1, 2: the root is read, and a new one is made, with a client of its own
    const oldClient = await issueClient(old);
    const current = clientOf(oldClient, old);
    const pointer = { namespace: "secrets", type: "OSRootSecrets.secrets.talos.dev", id: "os" };
    const { yamlSpec } = await current.clients[0]!.get(pointer);
    expect(yamlSpec).toContain(base64(old.crt));
    const fresh = await issueRoot();
    const newClient = await issueClient(fresh);
    await current.versions();
    const events = current.clients[0]!.watch(MACHINE_CONFIG)[Symbol.asyncIterator]();
    await events.next();

    // 3, 4: the new one is accepted
    await current.patch(`machine: {acceptedCAs: [{crt: ${base64(fresh.crt)}}]}`);
    const intermediate = clientOf(newClient, old);
    await intermediate.versions();

    // 5, 6: the new one issues, and the old one is accepted
    await intermediate.patch(`
machine:
  ca: {crt: ${base64(fresh.crt)}, key: ${base64(fresh.key)}}
  acceptedCAs:
    - {crt: ${base64(fresh.crt)}, $patch: delete}
    - {crt: ${base64(old.crt)}}`);
    const renewed = clientOf(newClient, fresh);
    await renewed.versions();
    await current.versions(); // its connections are those of before, and go on
    expect((await events.next()).value).toMatchObject({ type: "updated" });
    for (const address of ADDRESSES) {
      const leaf = readCertificate(pemOf(await presentedBy(address, port)));
      expect(leaf.authorityKeyId).toEqual(readCertificate(fresh.crt).subjectKeyId);
    }

    // 7, 8: the old one is not accepted any more
    await renewed.patch(`machine: {acceptedCAs: [{crt: ${base64(old.crt)}, $patch: delete}]}`);
    await renewed.versions();
    const late = clientOf(oldClient, fresh);
    for (const client of late.clients)
      await expect(client.version()).rejects.toMatchObject({ code: expect.any(String) as string });
    const held = await renewed.clients[0]!.get(pointer);
    expect(held.yamlSpec).not.toContain(base64(old.crt));
    for (const client of opened) client.close();
  },
);

const pemOf = (der: Buffer) =>
  `-----BEGIN CERTIFICATE-----\n${der.toString("base64")}\n-----END CERTIFICATE-----\n`;
