/** Starts the API as soon as there is a certificate to listen with, and tells what it waits for. */
import { ApiCertificates, CertificateStatus } from "#resources";
import {
  type Clock,
  ControllerStatus,
  type Logger,
  type Metadata,
  ringAfter,
  seconds,
} from "#runtime";
import type { Store } from "#runtime/store";
import { type Apid, ListenerMaterialError, type ListenerMaterial } from "../apid/index.ts";
import type { Opened } from "./restartable.ts";
import type { Served, Serving } from "./serving.ts";

/** Who issues what apid listens with, on control planes and on workers. */
const ISSUERS = ["secrets.APIController", "secrets.NodeCertificateController"];
/** Its status says what is in the way. */
const SERVED = "apid-server";
/** How often whoever looks on is told. */
const REMINDER = seconds(30);

export interface FirstServerOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  /** Ends the wait for a certificate. */
  readonly signal: AbortSignal;
  /** Called once when nothing is held yet that could be listened with. */
  readonly onWait: () => Promise<void>;
  /** Gets a line about it every 30 s. */
  readonly remind: (line: string) => void;
  /** Why who was asked last has issued nothing; empty where nobody was. */
  readonly problem: () => string;
}

/**
 * Starts with the first certificate that can be listened with.
 *
 * @throws {ListenError} when the address or port cannot be had; the reason of the signal
 */
export async function firstServer(
  options: FirstServerOptions,
  current: Serving,
  serve: (material: ListenerMaterial) => Promise<Apid>,
): Promise<Opened> {
  const { store, log, signal } = options;
  const held = await store.get(ApiCertificates, "api");
  const first = held && (await served(held.spec));
  if (first) return first;
  await options.onWait();
  const stopTelling = tellWaiting(options);
  try {
    for (let bound = held?.metadata.version; ;) {
      const matches = ({ metadata }: { readonly metadata: Metadata }) => metadata.version !== bound;
      const next = await store.watchFor(
        ApiCertificates,
        "api",
        { types: ["created", "updated"], matches },
        { signal },
      );
      const opened = await served(next.spec);
      if (opened) return opened;
      bound = next.metadata.version;
    }
  } finally {
    stopTelling();
  }

  async function served(spec: Served): Promise<Opened | undefined> {
    try {
      const material = materialOf(spec);
      const apid = await serve(material);
      current.set(spec);
      return { apid, material };
    } catch (error) {
      if (!(error instanceof ListenerMaterialError)) throw error;
      log.error({ component: "apid", reason: error.message }, "apid waits for another certificate");
      return undefined;
    }
  }
}

/** What a listener is given of what is held. */
export const materialOf = (spec: Served): ListenerMaterial => ({
  key: spec.server.key,
  cert: spec.server.crt,
  ca: spec.acceptedCAs.map(({ crt }) => crt),
  ...(spec.client && { client: spec.client }),
});

/** Tells why there is no certificate: the log, whenever that changes, and whoever looks on, again and again. */
function tellWaiting(options: FirstServerOptions): () => void {
  const { store, clock, log } = options;
  const telling = ISSUERS.map((controller) => {
    let told = "";
    return store.watch(ControllerStatus, controller).subscribe((event) => {
      if (event.type !== "created" && event.type !== "updated") return;
      const { waitingFor, error } = event.resource.spec;
      const reason = error?.message ?? waitingFor;
      if (reason === told || reason === "") return;
      told = reason;
      log.warn({ component: "apid", controller, reason }, "apid waits for its certificate");
    });
  });
  let isOver = false;
  let cancel = ringAfter(clock, REMINDER, remind);
  function remind() {
    const telling = reasonIn(options).then((reason) => {
      if (isOver) return;
      options.remind(`The API port is closed until this node has a certificate: ${reason}\n`);
      cancel = ringAfter(clock, REMINDER, remind);
    });
    telling.catch((error: unknown) => {
      if (!isOver)
        log.error({ component: "apid", err: error }, "nobody is told of the wait any more");
    });
  }
  return () => {
    isOver = true;
    cancel();
    for (const each of telling) each.unsubscribe();
  };
}

async function reasonIn({ store, problem }: FirstServerOptions): Promise<string> {
  const status = await store.get(CertificateStatus, SERVED);
  const { lastError = "", why = "" } = status?.spec ?? {};
  return [lastError, problem(), why].find((reason) => reason !== "") ?? "it is not issued yet";
}
