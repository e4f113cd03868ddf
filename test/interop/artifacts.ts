import { cp, mkdir } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { root, trustplane } from "./command.ts";
import { type KeyForm, makeKubernetesPki } from "./kubernetes-pki.ts";
import type { Manifest } from "./manifest.ts";
import { NodeProcess } from "./node-process.ts";

/** RSA leaves take a while: every key has 4096 bits. */
const START_MS = 180_000;

/** Where a node listens, and what the Go client connects to. */
export interface Running {
  readonly process: NodeProcess;
  readonly endpoint: string;
  readonly talosconfig: string;
}

/** Makes all that the Go tests examine, in one directory, and notes it in the manifest. */
export class Artifacts {
  readonly #directory: string;
  readonly #manifest: Manifest;
  readonly #signal: AbortSignal;

  constructor(directory: string, manifest: Manifest, signal: AbortSignal) {
    this.#directory = directory;
    this.#manifest = manifest;
    this.#signal = signal;
  }

  /** The files that talosctl 1.13.5 made: what passes there is what Talos does. */
  async talosDemo(): Promise<void> {
    const fixtures = join(root, "test", "fixtures", "talos-demo");
    await cp(fixtures, this.#path("talos-demo"), { recursive: true });
    const bundle = "talos-demo/secrets.yaml";
    this.#manifest.bundles.push({ name: "talos-demo", file: bundle, byTalos: true });
    this.#noteConfigs("talos-demo", bundle);
    this.#manifest.talosconfigs.push({
      ...{ name: "talos-demo", file: "talos-demo/talosconfig", bundle, byTalos: true },
      ...{ roles: ["os:admin"], endpoints: [], nodes: [] },
    });
  }

  /** `gen secrets`. */
  async bundle(name: string, file: string): Promise<void> {
    await this.#trustplane("gen", "secrets", "-o", this.#path(file));
    this.#manifest.bundles.push({ name, file });
  }

  /** `gen config` with a bundle. */
  async configs(directory: string, bundle: string): Promise<void> {
    const flags = ["--with-secrets", this.#path(bundle), "-o", this.#path(directory)];
    await this.#trustplane("gen", "config", "demo", "https://127.0.0.1:6443", ...flags);
    this.#noteConfigs(directory, bundle);
    this.#manifest.talosconfigs.push({
      ...{ name: directory, file: `${directory}/talosconfig`, bundle, roles: ["os:admin"] },
      ...{ endpoints: [], nodes: [] },
    });
  }

  /** `gen secrets --from-controlplane-config`. */
  async bundleFromConfig(name: string, config: string): Promise<void> {
    const file = `${name}.yaml`;
    const from = this.#path(config);
    const out = this.#path(file);
    await this.#trustplane("gen", "secrets", "--from-controlplane-config", from, "-o", out);
    this.#manifest.bundles.push({ name, file, controlPlaneConfig: config });
  }

  /** `gen secrets --from-kubernetes-pki`, of a directory as kubeadm lays it out. */
  async bundleFromKubernetes(name: string, form: KeyForm): Promise<void> {
    const pki = `${name}/pki`;
    const file = `${name}/secrets.yaml`;
    const from = this.#path(pki);
    await makeKubernetesPki(from, form, { signal: this.#signal });
    await this.#trustplane("gen", "secrets", "--from-kubernetes-pki", from, "-o", this.#path(file));
    this.#manifest.bundles.push({ name, file, kubernetesPki: pki });
  }

  /** `gen ca|key|csr|crt|keypair`, which write where they are called; gen_test.go has the list. */
  async genHelpers(): Promise<void> {
    await mkdir(this.#path("gen"));
    const gen = (...args: string[]) =>
      trustplane(["gen", ...args], { cwd: this.#path("gen"), signal: this.#signal });
    await gen("ca", "--organization", "interop");
    await gen("ca", "--organization", "interop-rsa", "--rsa");
    await gen("key", "--name", "client");
    const roles = "os:reader,os:admin";
    await gen("csr", "--key", "client.key", "--ip", "192.0.2.30", "--roles", roles);
    await gen("crt", "--name", "client", "--ca", "interop", "--csr", "client.csr");
    await gen("keypair", "--organization", "pair", "--ip", "192.0.2.31");
    this.#manifest.generated = "gen";
  }

  /** `up` until the status table is printed; the node then has written all of its files. */
  async node(
    name: string,
    config: string,
    bundle: string,
    { hostname = "", address = "127.0.0.1" } = {},
  ): Promise<Running> {
    const endpoint = `${address}:${String(await freePort(address))}`;
    const state = ["--config", this.#path(config), "--state-dir", this.#path(name)];
    const listen = ["--api-address", address, "--api-port", endpoint.slice(address.length + 1)];
    listen.push("--trustd-port", String(await freePort(address)));
    const named = hostname === "" ? [] : ["--hostname", hostname];
    const process = await NodeProcess.start(
      ["up", ...state, ...listen, ...named, "--time-source", "none"],
      /^.*\btrustd-server\b.*$/m,
      { signal: this.#signal, timeoutMs: START_MS },
    );
    const talosconfig = `${name}/talosconfig`;
    this.#manifest.nodes.push({ name, config, pki: `${name}/pki`, talosconfig, address, hostname });
    this.#manifest.talosconfigs.push({
      ...{ name, file: talosconfig, bundle, roles: ["os:admin"] },
      ...{ endpoints: [endpoint], nodes: [address] },
    });
    return { process, endpoint, talosconfig: this.#path(talosconfig) };
  }

  /** `config new` against a running node, with two roles; endpoints and nodes are those of who asks. */
  async configNew({ endpoint, talosconfig }: Running, bundle: string): Promise<void> {
    const file = "two-roles.talosconfig";
    const roles = ["os:reader", "os:etcd:backup"];
    const make = ["config", "new", this.#path(file), "--roles", roles.join(",")];
    await this.#trustplane("--talosconfig", talosconfig, ...make);
    this.#manifest.talosconfigs.push({
      ...{ name: "config new", file, bundle, roles, endpoints: [endpoint], nodes: ["127.0.0.1"] },
    });
  }

  #noteConfigs(directory: string, bundle: string): void {
    for (const type of ["controlplane", "worker"] as const) {
      const file = `${directory}/${type}.yaml`;
      this.#manifest.configs.push({ name: `${directory} ${type}`, file, type, bundle });
    }
  }

  async #trustplane(...args: string[]): Promise<void> {
    await trustplane(args, { signal: this.#signal });
  }

  #path(relative: string): string {
    return join(this.#directory, relative);
  }
}

async function freePort(address: string): Promise<number> {
  const server = createServer().listen(0, address);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
