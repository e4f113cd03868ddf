/** Keeps the resources that tell the state of the services. */
import { Service } from "#resources";
import type { Logger } from "#runtime";
import type { Store } from "#runtime/store";
import type { NodeServices } from "../apid/index.ts";
import type { ServiceBoard } from "./service-board.ts";

/**
 * Writes each change, one after the other; what a former run left is put right at once. Nothing fails
 * because of it.
 *
 * @returns what waits for the last write, after which nothing is written
 */
export function keepServiceResources(
  services: ServiceBoard,
  store: Store,
  log: Logger,
): AsyncDisposable {
  let writing = Promise.resolve();
  let isQueued = false;
  let isClosed = false;
  const queue = () => {
    if (isQueued || isClosed) return;
    isQueued = true;
    writing = writing
      .then(() => {
        isQueued = false; // what changes from now on is for the next write
        return write(services, store);
      })
      .catch((error: unknown) => {
        log.error({ err: error }, "the state of the services cannot be stored");
      });
  };
  services.onChange(queue);
  queue();
  return {
    async [Symbol.asyncDispose]() {
      isClosed = true;
      await writing;
    },
  };
}

async function write(services: NodeServices, store: Store): Promise<void> {
  for (const { id, state, health } of services.list()) {
    const { healthy, unknown } = health;
    const spec = { running: state === "Running", healthy, unknown };
    if (await store.get(Service, id))
      await store.modify(Service, id, (draft) => void Object.assign(draft, spec));
    else await store.create(Service, id, spec);
  }
}
