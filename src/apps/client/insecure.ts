/** Calls to nodes in maintenance, which know no authority yet (talosctl-wire.md §1.5). */
import type { Clock } from "#runtime";
import { createHash, type X509Certificate } from "node:crypto";
import { clientOf, type Client } from "./client.ts";
import { connectionBy, type Connection, type Security } from "./connection.ts";
import { diagnoseInsecure, presentedBy } from "./diagnosis.ts";
import { formatEndpoint, parseEndpoint, type Endpoint } from "./endpoint.ts";
import { CallFailedError, FingerprintMismatchError, UnreachableError } from "./errors.ts";
import { failover, type Endpoints } from "./failover.ts";

/** Whom to ask, and how they are known. */
export interface InsecureOptions {
  /** Endpoints, each of which is the node itself. */
  readonly nodes: readonly string[];
  /** Base64 of the SHA-256 over the SubjectPublicKeyInfo of the nodes; left out: anybody is believed. */
  readonly fingerprint?: string;
  /** Default 50000. */
  readonly port?: number;
  readonly clock: Clock;
}

/**
 * Prepares to ask nodes without a client certificate. Each call names a node of the list, and goes there
 * and nowhere else.
 *
 * @throws {EndpointInvalidError}; with a fingerprint {@link FingerprintMismatchError} and
 *   {@link UnreachableError}
 */
export async function connectInsecurely(options: InsecureOptions): Promise<Client> {
  const { nodes, port, fingerprint, clock } = options;
  const known = new Map<string, Connection>();
  for (const node of nodes) {
    const endpoint = parseEndpoint(node, port);
    known.set(node, connectionBy(endpoint, await securityOf(endpoint, fingerprint, clock)));
  }
  return clientOf(eachItself(known), [...known.values()]);
}

function eachItself(known: ReadonlyMap<string, Connection>): Endpoints {
  const only = (node = "") => {
    const connection = known.get(node);
    if (connection === undefined) throw new TypeError(`${JSON.stringify(node)} is not in the list`);
    return failover([connection]);
  };
  return {
    ask: (node, call) => only(node).ask(node, call),
    stream: (node, open) => only(node).stream(node, open),
  };
}

async function securityOf(
  endpoint: Endpoint,
  fingerprint: string | undefined,
  clock: Clock,
): Promise<Security> {
  const place = formatEndpoint(endpoint);
  const told: Pick<Security, "diagnose"> = {
    diagnose: async (failure) =>
      /handshake|certificate|closed|ECONN|No connection/i.test(failure.details)
        ? ((await diagnoseInsecure(endpoint, clock)) ??
          new UnreachableError(`failed to connect to ${place}: ${failure.details}`))
        : new CallFailedError(failure, { cause: failure }),
  };
  if (fingerprint === undefined)
    return { ...told, context: { minVersion: "TLSv1.2" }, verify: { rejectUnauthorized: false } };
  const certificate = await presentedBy(endpoint, clock);
  const found = fingerprintOf(certificate);
  if (found !== fingerprint) throw new FingerprintMismatchError(place, found);
  // The connection believes this one certificate, so nobody gets in between after the look.
  const ca = certificate.toString();
  const context = { minVersion: "TLSv1.2", ca, allowPartialTrustChain: true } as const;
  return { ...told, context, verify: { checkServerIdentity: () => undefined } };
}

const fingerprintOf = ({ publicKey }: X509Certificate): string =>
  createHash("sha256")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest("base64");
