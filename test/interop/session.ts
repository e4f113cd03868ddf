import { Artifacts, type Running } from "./artifacts.ts";
import { keyForms } from "./kubernetes-pki.ts";
import type { Manifest } from "./manifest.ts";

/**
 * Makes the artifacts step by step. A step that fails is counted and said, and the steps that do not
 * need it go on, so that one run shows all there is to see.
 */
export class Session implements AsyncDisposable {
  /** How many steps failed. */
  failed = 0;
  readonly #artifacts: Artifacts;
  readonly #nodes = new Set<Running>();

  constructor(directory: string, manifest: Manifest, signal: AbortSignal) {
    this.#artifacts = new Artifacts(directory, manifest, signal);
  }

  /** What talosctl made. */
  async fixtures(): Promise<void> {
    await this.#step("fixtures", () => this.#artifacts.talosDemo());
  }

  /** What trustplane makes; the node that is returned goes on running. */
  async ours(): Promise<Running | undefined> {
    const [running] = await Promise.all([
      this.#new(),
      this.#fromTalos(),
      this.#fromKubernetes(),
      this.#step("gen ca, key, csr, crt, keypair", () => this.#artifacts.genHelpers()),
    ]);
    return running;
  }

  /** Ends the nodes that still run; not to end as they should counts as a failed step. */
  async stop(): Promise<void> {
    for (const running of this.#nodes) await this.#stop(running);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #new(): Promise<Running | undefined> {
    const [bundle, config] = ["secrets.yaml", "config/controlplane.yaml"];
    const made = await this.#steps({
      "gen secrets": () => this.#artifacts.bundle("new", bundle),
      "gen config": () => this.#artifacts.configs("config", bundle),
    });
    if (!made) return undefined;
    await this.#step("gen secrets, from a config of ours", () => {
      return this.#artifacts.bundleFromConfig("from-own", config);
    });
    const hostname = "node-1.example.test";
    const running = await this.#start("up", () => {
      return this.#artifacts.node("node", config, bundle, { hostname });
    });
    if (running) {
      await this.#step("config new", () => this.#artifacts.configNew(running, bundle));
    }
    return running;
  }

  async #fromTalos(): Promise<void> {
    const [bundle, config] = ["talos-demo/secrets.yaml", "talos-demo/controlplane.yaml"];
    await this.#step("gen secrets, from a config of Talos", () => {
      return this.#artifacts.bundleFromConfig("from-talos", config);
    });
    const running = await this.#start("up, with a config of Talos", () => {
      return this.#artifacts.node("talos-node", config, bundle);
    });
    if (running) await this.#stop(running);
  }

  async #fromKubernetes(): Promise<void> {
    const rsa = "kubernetes-rsa";
    for (const [variant, form] of Object.entries(keyForms)) {
      const name = `kubernetes-${variant}`;
      await this.#steps({
        [`gen secrets, ${name}`]: () => this.#artifacts.bundleFromKubernetes(name, form),
        [`gen config, ${name}`]: () =>
          this.#artifacts.configs(`${name}/config`, `${name}/secrets.yaml`),
      });
    }
    // Linux has all of 127.0.0.0/8; another address than that of localhost shows where each belongs
    const address = process.platform === "linux" ? "127.0.0.2" : "127.0.0.1";
    const [bundle, config] = [`${rsa}/secrets.yaml`, `${rsa}/config/controlplane.yaml`];
    const running = await this.#start("up, with RSA authorities", () => {
      return this.#artifacts.node("rsa-node", config, bundle, { address });
    });
    if (running) await this.#stop(running);
  }

  async #start(name: string, start: () => Promise<Running>): Promise<Running | undefined> {
    let running: Running | undefined;
    await this.#step(name, async () => {
      running = await start();
      this.#nodes.add(running);
    });
    return running;
  }

  async #stop(running: Running): Promise<void> {
    this.#nodes.delete(running);
    await this.#step(`stop the node at ${running.endpoint}`, () => running.process.stop());
  }

  /** Steps that need each other; the first that fails ends them. */
  async #steps(steps: Readonly<Record<string, () => Promise<void>>>): Promise<boolean> {
    for (const [name, run] of Object.entries(steps)) {
      if (!(await this.#step(name, run))) return false;
    }
    return true;
  }

  /** @returns whether it went well */
  async #step(name: string, run: () => Promise<void>): Promise<boolean> {
    try {
      await run();
      return true;
    } catch (error) {
      this.failed += 1;
      const text = error instanceof Error ? error.message : String(error);
      console.log(`fail  ${name}\n      ${text.replaceAll("\n", "\n      ")}`);
      return false;
    }
  }
}
