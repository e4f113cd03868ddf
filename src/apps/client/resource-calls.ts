/** Reading resources, over `cosi.resource.State`. */
import type { WireResource } from "#runtime/rpc/client";
import type { Client } from "./client.ts";
import { callMetadata, messages, reply } from "./connection.ts";
import type { Endpoints } from "./failover.ts";
import { remoteEvent, remoteResource } from "./resource.ts";

/** Makes the calls. */
export function resourceCalls(endpoints: Endpoints): Pick<Client, "get" | "list" | "watch"> {
  return {
    get: (pointer, { node } = {}) =>
      endpoints.ask(node, async ({ state }) => {
        const { resource } = await reply<{ resource: WireResource | undefined }>((done) =>
          state.get({ ...pointer, options: {} }, callMetadata(node), done),
        );
        return remoteResource(resource);
      }),
    list: ({ namespace, type }, { node, signal } = {}) =>
      endpoints.ask(node, async ({ state }) => {
        const request = { namespace, type, options: { labelQuery: [], idQuery: undefined } };
        const stream = state.list(request, callMetadata(node));
        const found = [];
        for await (const { resource } of messages(stream, signal))
          found.push(remoteResource(resource));
        return found;
      }),
    async *watch({ namespace, type, id }, { node, signal } = {}) {
      const request = { namespace, type, id, options: optionsOf(id), apiVersion: 1 };
      const responses = endpoints.stream(node, ({ state }) =>
        messages(state.watch(request, callMetadata(node)), signal),
      );
      for await (const { event } of responses)
        for (const wire of event) {
          const read = remoteEvent(wire);
          if (read !== undefined) yield read;
        }
    },
  };
}

const optionsOf = (id: string | undefined) => ({
  bootstrapContents: id === undefined,
  tailEvents: 0,
  labelQuery: [],
  idQuery: undefined,
  aggregated: false,
  startFromBookmark: undefined,
  bootstrapBookmark: false,
});
