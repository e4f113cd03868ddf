/** What can be started anew inside a running node, while those who use it hold on to it. */
import { ringAfter, seconds, type Clock, type Logger } from "#runtime";
import type { Engine } from "#runtime/engine";
import { type Apid, type ListenerMaterial, ServiceRefusedError } from "../apid/index.ts";
import type { ServiceBoard } from "./service-board.ts";

/** How long a listener that could not be opened again waits for the next try. */
const RETRY = seconds(1);

/** What a restart is told by and to. */
export interface RestartOptions {
  readonly services: Pick<ServiceBoard, "set" | "onRestart">;
  readonly clock: Clock;
  readonly log: Logger;
}

/** An engine that can be stopped and started: each time a new one, with the same controllers. */
export function restartableEngine(
  make: () => Engine,
  { services }: Pick<RestartOptions, "services">,
): Engine {
  const id = "controller-runtime";
  let engine = make();
  let isStopped = false;
  const start = async () => {
    services.set(id, "Preparing", "Starting the controllers");
    await engine.start();
    if (!isStopped) services.set(id, "Running", "The controllers run");
  };
  const stop = () => {
    isStopped = true;
    return engine.stop();
  };
  services.onRestart(id, async () => {
    services.set(id, "Stopping", "Restarting by request");
    await engine.stop();
    if (isStopped)
      throw new ServiceRefusedError(`service "${id}" is not started again: the node ends`);
    try {
      engine = make();
      await start();
    } catch (error) {
      services.set(id, "Failed", "The controllers could not be started again: reboot the node");
      throw error;
    }
    return `Service "${id}" restarted`;
  });
  return {
    start,
    stop,
    register: (...controllers) => engine.register(...controllers),
    settled: () => engine.settled(),
    graph: () => engine.graph(),
    metrics: () => engine.metrics(),
    [Symbol.asyncDispose]: stop,
  };
}

/** An apid, and what it was opened with. */
export interface Opened {
  readonly apid: Apid;
  readonly material: ListenerMaterial;
}

/**
 * An apid that can be closed and opened again on its port. Who asks for that hears the answer first,
 * and connections are told to go.
 *
 * @param open with what the one before was told last
 */
export function restartableApid(
  first: Opened,
  open: (material: ListenerMaterial, port: number) => Promise<Apid>,
  { services, clock, log }: RestartOptions,
): Apid {
  const { port } = first.apid;
  let { apid, material } = first;
  let denied: ReadonlySet<string> = new Set();
  let isClosed = false;
  let restarting: Promise<void> | undefined;
  services.set("apid", "Running", `Listening on port ${port}`);

  const reopen = async () => {
    services.set("apid", "Stopping", "Restarting by request");
    await apid.close();
    while (!isClosed)
      try {
        services.set("apid", "Starting", "Opening the listener");
        const held = material;
        apid = await open(held, port);
        apid.deny(denied); // who is denied stays so, and nobody has been let in yet
        if (material !== held) apid.rotate(material); // it changed meanwhile
        services.set("apid", "Running", `Listening on port ${port}`);
        return;
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        log.error(
          { component: "apid", reason },
          "apid cannot be opened again, and tries once more",
        );
        services.set("apid", "Failed", reason);
        await new Promise<void>((resolve) => ringAfter(clock, RETRY, resolve));
      }
  };
  services.onRestart("apid", async () => {
    clock.alarm(clock.now(), () => {
      if (!isClosed) restarting ??= reopen().finally(() => (restarting = undefined));
    });
    return 'Service "apid" restarted';
  });
  const close = async () => {
    isClosed = true;
    await restarting;
    await apid.close();
  };
  return {
    port,
    rotate(next) {
      apid.rotate(next); // also one that is closed: it looks whether all fits together
      material = next;
    },
    deny(fingerprints) {
      denied = fingerprints;
      apid.deny(fingerprints);
    },
    connectionsUnder: (fingerprint) => apid.connectionsUnder(fingerprint),
    close,
    [Symbol.asyncDispose]: close,
  };
}
