/** Endpoints as they stand in a talosconfig (talosctl-wire.md §1.2). */
import { isIPv4, isIPv6 } from "node:net";
import { EndpointInvalidError } from "./errors.ts";

const API_PORT = 50_000;
const HTTPS_PORT = 443;

/** Where a node is reached. */
export interface Endpoint {
  /** A name or an address; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

/**
 * Reads `host`, `host:port`, addresses of both families, `[v6]:port` and `https://host[:port]`.
 *
 * @param port used where the endpoint has none, and no scheme that means one
 * @throws {EndpointInvalidError}
 */
export function parseEndpoint(text: string, port = API_PORT): Endpoint {
  const [, scheme, rest = ""] = /^(?:([a-z][a-z\d+.-]*):\/\/)?([^/]*)\/?$/i.exec(text) ?? [];
  if (isIPv6(rest)) return { host: rest, port };
  const [, v6, name, digits] = /^(?:\[([^\]]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/.exec(rest) ?? [];
  const host = v6 ?? name;
  const chosen = Number(digits ?? (scheme?.toLowerCase() === "https" ? HTTPS_PORT : port));
  if (host === undefined || (v6 !== undefined && !isIPv6(v6)) || chosen < 1 || chosen > 65_535)
    throw new EndpointInvalidError(text);
  return { host, port: chosen };
}

/** `host:port`, with brackets around IPv6. */
export const formatEndpoint = ({ host, port }: Endpoint): string =>
  isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;

/** As gRPC names its targets; addresses go past name resolution. */
export const targetOf = (endpoint: Endpoint): string => {
  const scheme = isIPv4(endpoint.host) ? "ipv4" : isIPv6(endpoint.host) ? "ipv6" : "dns";
  return `${scheme}:${formatEndpoint(endpoint)}`;
};
