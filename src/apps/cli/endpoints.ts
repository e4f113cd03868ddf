/** Endpoints and nodes that a person names: a malformed one is a slip of the pen, and no dead node. */
import { addressOctets, isDnsName } from "#pki";
import { parseEndpoint } from "../client/index.ts";
import { UsageError, wrongUsage } from "./errors.ts";

/**
 * Refuses what is no endpoint, before anything is done with it.
 *
 * @throws {UsageError} naming the first one
 */
export function checkEndpoints(texts: readonly string[]): void {
  for (const text of texts) {
    const { host } = wrongUsage(() => parseEndpoint(text));
    const scheme = /^([^/]*):\/\//.exec(text)?.[1]?.toLowerCase() ?? "https";
    if (scheme !== "https")
      throw new UsageError(`${JSON.stringify(text)} is not an endpoint: its scheme is not https`);
    if (addressOctets(host) === undefined && !isDnsName(host.replace(/\.$/, "")))
      throw new UsageError(
        `${JSON.stringify(text)} is not an endpoint: ${JSON.stringify(host)} is neither a DNS name nor an address`,
      );
  }
}

/**
 * Refuses what cannot be the name of a node; which names there are, the endpoint knows.
 *
 * @throws {UsageError} naming the first one
 */
export function checkNodes(names: readonly string[]): void {
  const wrong = names.find((name) => !/^[!-~]+$/.test(name));
  if (wrong !== undefined)
    throw new UsageError(
      `${JSON.stringify(wrong)} is not a node: it is neither a DNS name nor an address`,
    );
}
