/** `cosi.resource.State` over plain HTTP/2: the server for a store on its own. */
export { openRpcServer } from "./server.ts";
export type { RpcServer, RpcServerOptions } from "./server.ts";
export { stateHandlers } from "./state-handlers.ts";
export type { Handler } from "./handlers.ts";
