/** Where a node is called that a request names: nobody has this one knock at doors of its choice. */
import { BlockList, isIP } from "node:net";
import { parseEndpoint, type Endpoint } from "../../client/index.ts";
import { NodeNameError } from "./errors.ts";

/** Unspecified, link-local, multicast and broadcast addresses (RFC 6890). */
const nobodys = new BlockList();
nobodys.addSubnet("0.0.0.0", 8, "ipv4");
nobodys.addSubnet("169.254.0.0", 16, "ipv4");
nobodys.addSubnet("224.0.0.0", 4, "ipv4");
nobodys.addAddress("255.255.255.255", "ipv4");
nobodys.addAddress("::", "ipv6");
nobodys.addSubnet("fe80::", 10, "ipv6");
nobodys.addSubnet("ff00::", 8, "ipv6");

/** Whether it is an address that no node has: one of a link, of a group, or of none. */
export function isNobodys(host: string): boolean {
  const [address = ""] = host.split("%");
  const family = isIP(address);
  return family !== 0 && nobodys.check(address, family === 4 ? "ipv4" : "ipv6");
}

/** What is known of the other nodes. */
export interface Neighbours {
  /** Where nodes listen. */
  readonly port: number;
  /** Whether it is an address or a name of a member, which may have another port. */
  readonly isMember: (host: string) => boolean;
}

/** @throws {NodeNameError} for what is no name, an address of nobody, and a port that is none of theirs */
export function placeOf(node: string, { port, isMember }: Neighbours): Endpoint {
  const endpoint = endpointOf(node, port);
  const { host } = endpoint;
  const quoted = JSON.stringify(node);
  if (isNobodys(host))
    throw new NodeNameError(
      `${quoted} is no node: the address is of a link, of a group or of none`,
    );
  if (endpoint.port !== port && !isMember(host))
    throw new NodeNameError(`only members of the cluster are called at a port other than ${port}`);
  return endpoint;
}

function endpointOf(node: string, port: number): Endpoint {
  try {
    if (!node.includes("/")) return parseEndpoint(node, port);
  } catch {
    // said below
  }
  throw new NodeNameError(`${JSON.stringify(node)} is neither a name nor an address of a node`);
}
