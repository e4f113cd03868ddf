/** Roles that a person asks for. */
import { readRoles, type Role } from "#config/talosconfig";
import { UsageError, wrongUsage } from "./errors.ts";

/**
 * The roles of `--roles`; without the flag `os:admin`.
 *
 * @throws {UsageError} for one that Talos does not have, and for none at all
 */
export function rolesOf(flag: readonly string[] = ["os:admin"]): readonly Role[] {
  const roles = wrongUsage(() => readRoles(flag));
  if (roles.length === 0) throw new UsageError("--roles names no role");
  return roles;
}
