/** What a join token may be asked to be. */
import { canonicalAddress, isAddress, isNetwork } from "#config";
import { isDnsName } from "#pki";
import type { JoinToken } from "#resources";
import { days, type DeepReadonly, seconds, type SpecOf } from "#runtime";
import { InvalidRequestError } from "#runtime/rpc";

/** What is asked of a token. */
export interface TokenRequest {
  readonly description: string;
  /** How many joins it is good for; 0: any number. */
  readonly uses: number;
  /** Milliseconds; undefined: it has no end. */
  readonly lifetime: number | undefined;
  /** Names, or patterns as `*.example.com`; none bounds nothing. */
  readonly dnsNames: readonly string[];
  /** Addresses and CIDRs; none bounds nothing. */
  readonly addresses: readonly string[];
  /** Empty: `worker`. */
  readonly machineType: string;
}

type TokenSpec = DeepReadonly<SpecOf<typeof JoinToken>>;

/** A request that holds, as it is stored. */
export type CheckedTokenRequest = Pick<
  TokenSpec,
  "description" | "uses" | "bounds" | "machineType"
> &
  Pick<TokenRequest, "lifetime">;

const DESCRIPTION_MAX = 1000;
const USES_MAX = 1_000_000;
const LIFETIME_MAX = days(3650);
const BOUNDS_MAX = 100;

/** @throws {InvalidRequestError} naming what is wrong, and what may stand there */
export function checkedTokenRequest(request: TokenRequest): CheckedTokenRequest {
  const { description, uses, lifetime } = request;
  if (description.length > DESCRIPTION_MAX)
    throw new InvalidRequestError(`description has more than ${DESCRIPTION_MAX} characters`);
  if (!Number.isInteger(uses) || uses < 0 || uses > USES_MAX)
    throw new InvalidRequestError(
      `uses is ${uses}: a token is good for 1 to ${USES_MAX} joins, or with 0 for any number`,
    );
  if (lifetime !== undefined && !(lifetime >= seconds(1)))
    throw new InvalidRequestError(
      "lifetime is shorter than a second; left out, a token has no end",
    );
  if (lifetime !== undefined && lifetime > LIFETIME_MAX)
    throw new InvalidRequestError(
      "lifetime is longer than ten years; left out, a token has no end",
    );
  return {
    ...{ description, uses, lifetime },
    bounds: {
      dnsNames: each("dns_names", request.dnsNames, dnsNameIn),
      addresses: each("addresses", request.addresses, addressIn),
    },
    machineType: machineTypeIn(request.machineType),
  };
}

/** Each once. */
function each(
  field: string,
  values: readonly string[],
  checked: (text: string) => string,
): readonly string[] {
  if (values.length > BOUNDS_MAX)
    throw new InvalidRequestError(`${field} has more than ${BOUNDS_MAX} items`);
  return [...new Set(values.map(checked))];
}

/** As it is compared: in lower case. */
function dnsNameIn(text: string): string {
  if (isDnsName(text) && !isAddress(text)) return text.toLowerCase();
  throw new InvalidRequestError(
    `dns_names: ${shown(text)} is no DNS name; one may begin with *. for any one label, and ends ` +
      "without a dot",
  );
}

/** As it is compared: in canonical form. */
function addressIn(text: string): string {
  if (isAddress(text)) return canonicalAddress(text);
  if (!isNetwork(text))
    throw new InvalidRequestError(
      `addresses: ${shown(text)} is neither an IP address nor a network in CIDR form`,
    );
  const [base = "", bits = ""] = text.split("/");
  const network = `${canonicalAddress(base)}/${bits}`;
  // One of mapped addresses has bits that say so, which its canonical form does not.
  if (isNetwork(network)) return network;
  throw new InvalidRequestError(
    `addresses: ${shown(text)} is a network of mapped addresses: write it as one of IPv4`,
  );
}

function machineTypeIn(text: string): TokenSpec["machineType"] {
  if (text === "" || text === "worker") return "worker";
  if (text === "controlplane") return text;
  throw new InvalidRequestError(`machine_type is ${shown(text)}: it is worker or controlplane`);
}

const shown = (text: string): string => JSON.stringify(text.slice(0, 100));
