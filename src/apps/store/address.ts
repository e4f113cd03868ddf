/** Where a server without TLS listens, and which store it serves, as the command line says it. */
import { StoreAddressError, StoreLocationError } from "./errors.ts";

/** A socket for those who may open it, or a port that every local user can connect to. */
export type StoreAddress =
  { readonly path: string } | { readonly host: "127.0.0.1"; readonly port: number };

/**
 * Reads `unix:PATH` or `127.0.0.1:PORT`; port 0 lets the system choose.
 *
 * @throws {StoreAddressError} for every other address: there is no TLS
 */
export function readAddress(text: string): StoreAddress {
  const path = /^unix:(.+)$/s.exec(text)?.[1];
  if (path !== undefined) return { path };
  const port = /^127\.0\.0\.1:(\d{1,5})$/.exec(text)?.[1];
  if (port !== undefined && Number(port) <= 65535) return { host: "127.0.0.1", port: Number(port) };
  throw new StoreAddressError(
    `cannot listen on ${JSON.stringify(text)}: a bare store has no TLS, so it is served on ` +
      "unix:PATH or 127.0.0.1:PORT only",
  );
}

/** What is served: nothing that lasts, or a file. */
export type StoreLocation =
  { readonly kind: "memory" } | { readonly kind: "sqlite"; readonly file: string };

/**
 * Reads `memory` or `sqlite:FILE`.
 *
 * @throws {StoreLocationError}
 */
export function readLocation(text: string): StoreLocation {
  if (text === "memory") return { kind: "memory" };
  const file = /^sqlite:(.+)$/s.exec(text)?.[1];
  if (file !== undefined) return { kind: "sqlite", file };
  throw new StoreLocationError(
    `${JSON.stringify(text)} names no store: use memory, or sqlite:FILE`,
  );
}
