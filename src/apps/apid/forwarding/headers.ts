/** The headers that a request is passed on with (talosctl-wire.md §1.4). */
import { Metadata } from "@grpc/grpc-js";
import { ORIGIN_HEADER, originText, type Origin } from "./origin.ts";

/** Whom a request is for is settled, who asks is said anew, and the rest is of one connection. */
const leftBehind = new Set([
  ...["node", "nodes", "proxyfrom", "talos-role", ORIGIN_HEADER],
  ...["user-agent", "content-type", "te", "grpc-timeout", "grpc-encoding"],
  ...["accept-encoding", "grpc-accept-encoding"],
]);

/** A role that could be read as several, or as none, has no effect where it is issued either. */
const ROLE = /^[!-+\--~]+$/;

/**
 * Makes the headers for another node.
 *
 * @param authority what the caller addressed
 * @param roles the caller's, whatever it said of itself
 * @param origin who the caller is, whatever it said of itself
 */
export function onwardHeaders(
  received: Metadata,
  {
    authority,
    roles,
    origin,
  }: {
    readonly authority: string;
    readonly roles: Iterable<string>;
    readonly origin: Origin | undefined;
  },
): Metadata {
  const headers = new Metadata();
  for (const name of Object.keys(received.getMap()))
    if (!leftBehind.has(name)) for (const value of received.get(name)) headers.add(name, value);
  headers.set("proxyfrom", authority.replace(/[^ -~]/g, "?") || "unknown");
  for (const role of roles) if (ROLE.test(role)) headers.add("talos-role", role);
  if (origin !== undefined) headers.set(ORIGIN_HEADER, originText(origin));
  return headers;
}
