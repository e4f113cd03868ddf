/** `cosi.resource.State` as handlers by path. */
import type { CallOptions } from "../call.ts";
import { StateService as service } from "../service.ts";
import { stateMethods, type StateSource } from "../state-methods.ts";
import { streamHandler, unaryHandler, type Handler } from "./handlers.ts";

/** Makes the handlers. */
export function stateHandlers(
  options: Omit<CallOptions, "closing"> & StateSource,
): Readonly<Record<string, Handler>> {
  const methods = stateMethods(options);
  return {
    [service.get.path]: unaryHandler(service.get, methods.get, options),
    [service.list.path]: streamHandler(service.list, methods.list, options),
    [service.create.path]: unaryHandler(service.create, methods.create, options),
    [service.update.path]: unaryHandler(service.update, methods.update, options),
    [service.destroy.path]: unaryHandler(service.destroy, methods.destroy, options),
    [service.watch.path]: streamHandler(service.watch, methods.watch, options),
    [service.teardown.path]: unaryHandler(service.teardown, methods.teardown, options),
    [service.teardownAndDestroy.path]: unaryHandler(
      service.teardownAndDestroy,
      methods.teardownAndDestroy,
      options,
    ),
  };
}
