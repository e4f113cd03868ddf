/** `cosi.resource.State` as handlers of a grpc-js server. */
import { serverStream, unary, type CallOptions } from "./call.ts";
import { stateMethods, type StateSource } from "./state-methods.ts";

export interface StateServerOptions extends CallOptions, StateSource {}

/** Makes the handlers; they belong to {@link StateService}. */
export function stateServer(options: StateServerOptions) {
  const methods = stateMethods(options);
  return {
    get: unary(methods.get, options),
    list: serverStream(methods.list, options),
    create: unary(methods.create, options),
    update: unary(methods.update, options),
    destroy: unary(methods.destroy, options),
    watch: serverStream(methods.watch, options),
    teardown: unary(methods.teardown, options),
    teardownAndDestroy: unary(methods.teardownAndDestroy, options),
  };
}
