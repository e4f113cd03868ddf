/** How `cosi.resource.State` stands on the wire: replies are bytes already. */
import type { MethodDefinition } from "@grpc/grpc-js";
import {
  CreateRequest,
  DestroyRequest,
  GetRequest,
  ListRequest,
  StateService as Generated,
  TeardownAndDestroyRequest,
  TeardownRequest,
  UpdateRequest,
  WatchRequest,
} from "./gen/v1alpha1/state.ts";
import { readerOf, type MessageType } from "./reader.ts";

interface RequestType<Request> extends MessageType<Request> {
  encode(message: Request): { finish(): Uint8Array };
}

const itself = (message: Buffer): Buffer => message;

const method = <Request>(
  path: string,
  request: RequestType<Request>,
  responseStream = false,
): MethodDefinition<Request, Buffer> => ({
  path,
  requestStream: false,
  responseStream,
  requestSerialize: (message) => Buffer.from(request.encode(message).finish()),
  requestDeserialize: readerOf(request),
  responseSerialize: itself,
  responseDeserialize: itself,
});

/** The service, for a server and for who passes calls on; clients have the generated one. */
export const StateService = {
  get: method(Generated.get.path, GetRequest),
  list: method(Generated.list.path, ListRequest, true),
  create: method(Generated.create.path, CreateRequest),
  update: method(Generated.update.path, UpdateRequest),
  destroy: method(Generated.destroy.path, DestroyRequest),
  watch: method(Generated.watch.path, WatchRequest, true),
  teardown: method(Generated.teardown.path, TeardownRequest),
  teardownAndDestroy: method(Generated.teardownAndDestroy.path, TeardownAndDestroyRequest),
};
