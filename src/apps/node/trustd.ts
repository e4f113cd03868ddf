/**
 * Serves trustd on a control plane, for as long as there is a certificate for it, and as soon as the
 * clock can be trusted (talos-pki.md §6.5): what it signs begins now.
 */
import { MachineType, TimeStatus, TrustdCertificates } from "#resources";
import { type Clock, ControllerStatus, type Logger, ringAfter, seconds } from "#runtime";
import type { Store } from "#runtime/store";
import { ServiceRefusedError } from "../apid/index.ts";
import { startTrustd, type Trustd, type TrustdOptions } from "../trustd/server.ts";
import type { ServiceBoard } from "./service-board.ts";

/** How long a listener that could not be opened waits for the next try. */
const RETRY = seconds(5);
/** Who issues what trustd presents. */
const CONTROLLER = "secrets.TrustdController";

interface KeepOptions extends Pick<TrustdOptions, "address" | "signer"> {
  readonly store: Store;
  readonly port: number;
  readonly services: Pick<ServiceBoard, "set" | "onRestart">;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What it takes to serve, as far as it is there. */
interface Needs {
  type: string | undefined;
  material: TrustdOptions["material"] | undefined;
  /** Empty when the clock can be trusted. */
  timeProblem: string;
  /** Why there is no certificate; empty when nobody says so. */
  certificateProblem: string;
}

/** Keeps it as it should be until it is closed. */
export function keepTrustd(options: KeepOptions): AsyncDisposable {
  const keeper = new Keeper(options);
  const stopFollowing = followNeeds(options.store, (change) => keeper.take(change));
  options.services.onRestart("trustd", () => keeper.restart());
  return {
    async [Symbol.asyncDispose]() {
      stopFollowing();
      await keeper.close();
    },
  };
}

/** One change after the other: a listener is opened when the one before is closed. */
class Keeper {
  readonly #options: KeepOptions;
  readonly #needs: Needs = {
    ...{ type: undefined, material: undefined, certificateProblem: "" },
    timeProblem: "nothing is known of it yet",
  };
  #doing = Promise.resolve();
  #trustd: Trustd | undefined;
  #presented: TrustdOptions["material"] | undefined;
  #port: number;
  #told = "";
  #isClosed = false;
  #cancelRetry: () => void = () => undefined;

  constructor(options: KeepOptions) {
    this.#options = options;
    this.#port = options.port;
  }

  take(change: Partial<Needs>): void {
    Object.assign(this.#needs, change);
    void this.#then(() => this.#settle());
  }

  async restart(): Promise<string> {
    if (this.#isClosed)
      throw new ServiceRefusedError('service "trustd" is not started again: the node ends');
    await this.#then(async () => {
      this.#tell("Stopping", "Restarting by request");
      await this.#stop();
      await this.#settle();
    });
    return 'Service "trustd" restarted';
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelRetry();
    await this.#then(() => this.#stop());
  }

  #then(next: () => Promise<void>): Promise<void> {
    return (this.#doing = this.#doing.then(next));
  }

  async #settle(): Promise<void> {
    this.#cancelRetry();
    const { type, material } = this.#needs;
    if (this.#isClosed) return;
    if (type !== undefined && type !== "controlplane") {
      await this.#stop();
      this.#tell("Skipped", "Only control planes sign for nodes");
    } else if (material === undefined) {
      await this.#stop();
      this.#tell("Waiting", this.#needs.certificateProblem || "Waiting for its certificate");
    } else if (this.#trustd !== undefined) this.#rotate(this.#trustd, material);
    else if (this.#needs.timeProblem !== "")
      this.#tell("Waiting", `Waiting for the clock: ${this.#needs.timeProblem}`);
    else await this.#start(material);
  }

  #rotate(trustd: Trustd, material: TrustdOptions["material"]): void {
    const { crt, key } = this.#presented ?? {};
    if (crt === material.crt && key === material.key) return;
    try {
      trustd.rotate(material);
      this.#presented = material;
    } catch (error) {
      this.#warn(error, "trustd keeps its identity: the new one cannot be used");
    }
  }

  async #start(material: TrustdOptions["material"]): Promise<void> {
    try {
      this.#trustd = await startTrustd({ ...this.#options, port: this.#port, material });
      this.#port = this.#trustd.port;
      this.#presented = material;
      this.#tell("Running", `Listening on port ${this.#port}`);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (this.#told !== `Failed ${reason}`) this.#warn(error, "trustd cannot be served");
      this.#tell("Failed", reason);
      this.#cancelRetry = ringAfter(this.#options.clock, RETRY, () => this.take({}));
    }
  }

  async #stop(): Promise<void> {
    const trustd = this.#trustd;
    this.#trustd = undefined;
    await trustd?.close();
  }

  #tell(state: Parameters<ServiceBoard["set"]>[1], message: string): void {
    const told = `${state} ${message}`;
    if (told === this.#told) return;
    this.#told = told;
    this.#options.services.set("trustd", state, message);
    if (state === "Waiting" || state === "Skipped")
      this.#options.log.info({ component: "trustd" }, message);
  }

  #warn(error: unknown, message: string): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.#options.log.error({ component: "trustd", reason }, message);
  }
}

/** @returns what ends it */
function followNeeds(store: Store, take: (change: Partial<Needs>) => void): () => void {
  const following = [
    store.watch(MachineType, "machine-type").subscribe((event) => {
      if (event.type === "created" || event.type === "updated")
        take({ type: event.resource.spec.type });
    }),
    store.watch(TrustdCertificates, "trustd").subscribe((event) => {
      if (event.type === "created" || event.type === "updated")
        take({ material: event.resource.spec.server });
      else if (event.type === "destroyed") take({ material: undefined });
    }),
    store.watch(TimeStatus, "node").subscribe((event) => {
      if (event.type !== "created" && event.type !== "updated") return;
      const { synced, source } = event.resource.spec;
      take({ timeProblem: synced ? "" : `it is not synchronised, says ${source}` });
    }),
    store.watch(ControllerStatus, CONTROLLER).subscribe((event) => {
      if (event.type !== "created" && event.type !== "updated") return;
      const { waitingFor, error } = event.resource.spec;
      take({ certificateProblem: error?.message ?? waitingFor });
    }),
  ];
  return () => {
    for (const subscription of following) subscription.unsubscribe();
  };
}
