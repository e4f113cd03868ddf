/** The roles of Talos: organisations in client certificates (talos-pki.md §8.4). */
import { UnknownRolesError } from "./errors.ts";

/** What each role is for. */
export const roles = {
  "os:admin": "everything",
  "os:operator": "reading, and what runs the machine, but no secrets",
  "os:reader": "reading, but no secrets",
  "os:etcd:backup": "snapshots of etcd",
  "os:image:verifier": "verifying images",
  "os:meta:writer": "writing META values",
  "os:impersonator": "acting for another: what control planes forward requests with",
} as const;

/** A role that Talos has. */
export type Role = keyof typeof roles;

/** Tells whether Talos has the role. */
export const isRole = (text: string): text is Role => Object.hasOwn(roles, text);

/**
 * Reads a list of roles: trimmed, without empty ones and repeats, sorted as certificates have them.
 *
 * @throws {UnknownRolesError} naming those that Talos does not have
 */
export function readRoles(texts: readonly string[]): Role[] {
  const asked = [...new Set(texts.map((text) => text.trim()).filter((text) => text !== ""))].sort();
  const unknown = asked.filter((text) => !isRole(text));
  if (unknown.length > 0)
    throw new UnknownRolesError(
      `unknown roles: ${unknown.join(", ")} (known: ${Object.keys(roles).join(", ")})`,
    );
  return asked.filter(isRole);
}
