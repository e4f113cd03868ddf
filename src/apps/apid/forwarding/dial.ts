/**
 * How connections to other nodes are dialled: from the address of this node, where that leads there.
 * The library has no option for it; what its resolvers find is handed to `net.connect` as it is.
 */
import { experimental, type ChannelOptions } from "@grpc/grpc-js";
import { lookup as lookUp } from "node:dns";
import { isIP, type LookupFunction, type TcpNetConnectOpts } from "node:net";
import { isLoopback } from "#config";
import { seconds } from "#runtime";
import { formatEndpoint, type Endpoint } from "../../client/index.ts";
import { isNobodys } from "./place.ts";

const SCHEME = "trustplane-node";
const OPTION = "trustplane.dial";
/** After how long a silence it is looked whether the other end is still there. */
const KEEPALIVE = seconds(30);

/** Looks a name up; one that leads to an address of nobody leads nowhere. */
const lookup: LookupFunction = (hostname, options, callback) => {
  lookUp(hostname, options, (error, found, family) => {
    const addresses = [found].flat().map((one) => (typeof one === "object" ? one.address : one));
    const nobodys = error === null && addresses.find(isNobodys);
    if (!nobodys) callback(error, found, family);
    else callback(new Error(`${nobodys} is no address of a node`), found, family);
  });
};

/**
 * What `net.connect` is called with. A loopback address leads to no other machine, and a wildcard is
 * no address of anybody: connections that are not between two loopback addresses or two others of one
 * family leave from where the system chooses.
 *
 * @param own where this node listens
 */
export function dialOptions({ host, port }: Endpoint, own: string): TcpNetConnectOpts {
  const options = { host, port, lookup, keepAlive: true, keepAliveInitialDelay: KEEPALIVE };
  const isWildcard = own === "0.0.0.0" || own === "::";
  if (isWildcard || isIP(host) !== isIP(own) || isLoopback(host) !== isLoopback(own))
    return options;
  return { ...options, localAddress: own };
}

/**
 * The target and the options of a channel that dials so.
 *
 * @param giveUp drops the connection; the library leaves one alone whose handshake is not done
 */
export function dialling(
  endpoint: Endpoint,
  own: string,
  giveUp: AbortSignal,
): { readonly target: string; readonly options: ChannelOptions } {
  const address = { ...dialOptions(endpoint, own), signal: giveUp };
  return {
    target: `${SCHEME}:${formatEndpoint(endpoint)}`,
    options: {
      [OPTION]: address,
      // No address may be sent as a server name, and the library sends one unless it has another name.
      ...(isIP(endpoint.host) && { "grpc.ssl_target_name_override": "node.invalid" }),
      "grpc.default_authority": formatEndpoint(endpoint),
      "grpc.enable_http_proxy": 0,
    },
  };
}

/** Finds the one address that it is told; names are looked up when they are dialled. */
class NodeResolver implements experimental.Resolver {
  readonly #tell: () => void;
  #told = false;

  constructor(
    _target: experimental.GrpcUri,
    listener: experimental.ResolverListener,
    options: ChannelOptions,
  ) {
    const address = options[OPTION] as experimental.SubchannelAddress;
    this.#tell = () => {
      listener(experimental.statusOrFromValue([{ addresses: [address] }]), {}, null, "");
    };
  }

  updateResolution(): void {
    if (this.#told) return;
    this.#told = true;
    process.nextTick(this.#tell);
  }

  destroy(): void {
    this.#told = false;
  }

  static getDefaultAuthority({ path }: experimental.GrpcUri): string {
    return path;
  }
}

experimental.registerResolver(SCHEME, NodeResolver);
