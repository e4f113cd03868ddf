/** How connections get into the gRPC library: each through an injector of its own. */
import { ServerCredentials, type Server } from "@grpc/grpc-js";
import type { TLSSocket } from "node:tls";
import type { Goodbye } from "./connection-end.ts";
import { NODES_MAX } from "./routing.ts";

/** As many streams as one connection may cancel at once, and then in every second. */
const RESETS_PER_SECOND_MAX = 20_000;

/** As many headers as a request may have: one for each node that it is for, and the usual ones. */
const HEADERS_MAX = NODES_MAX + 128;

/**
 * Makes the function that hands connections to a server. The library says goodbye to all connections
 * of an injector at once, so each has one.
 */
export function injectorOf(server: Server): (socket: TLSSocket) => Goodbye {
  setLimits(server);
  const insecure = ServerCredentials.createInsecure(); // TLS is done: this is the connection inside
  return (socket) => {
    const injector = server.createConnectionInjector(insecure);
    let isOver = false;
    const end = () => {
      if (isOver) return;
      isOver = true;
      injector.destroy(); // GOAWAY; the connection closes when its last stream has ended
    };
    injector.injectConnection(socket);
    socket.once("close", end);
    return end;
  };
}

/**
 * Node.js ends a connection on which many streams are cancelled, which is what a client does that
 * looks at many things for a moment, and takes no more than 128 headers. The library has no options
 * for these and keeps those of its HTTP/2 servers in a private field.
 */
function setLimits(server: Server): void {
  const options: unknown = Reflect.get(server, "commonServerOptions");
  if (typeof options !== "object" || options === null)
    throw new TypeError("this version of grpc-js keeps the options of HTTP/2 elsewhere");
  Object.assign(options, {
    maxHeaderListPairs: HEADERS_MAX,
    streamResetBurst: RESETS_PER_SECOND_MAX,
    streamResetRate: RESETS_PER_SECOND_MAX,
  });
}
