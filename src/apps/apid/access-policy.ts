/** What may be read through apid, and by whom (talos-pki.md §8.5). */
import type { AnyResourceType } from "#runtime";
import { AccessDeniedError, type Access } from "#runtime/rpc";
import type { CoreStore } from "#runtime/store";
import { ADMIN } from "./roles.ts";

const READS: ReadonlySet<Access["verb"]> = new Set(["get", "list", "watch"]);

/** What is read: a secret, or not. */
type Sensitivity = "sensitive" | "non-sensitive";

/** Decides on an access by somebody with these roles. */
export type RolePolicy = (access: Access, roles: ReadonlySet<string>) => Promise<Sensitivity>;

/**
 * Makes the policy: nothing is written from outside, only registered kinds in registered namespaces
 * are there to be read, and sensitive kinds are there for administrators.
 */
export function accessPolicy(core: CoreStore, kinds: readonly AnyResourceType[]): RolePolicy {
  const byId = new Map(kinds.map((kind) => [kind.type.toLowerCase(), kind]));
  return async ({ verb, namespace, type }, roles) => {
    if (!READS.has(verb)) throw new AccessDeniedError("write access is not allowed");
    const kind = byId.get(type.toLowerCase());
    if (kind === undefined)
      throw new AccessDeniedError(`resource type ${JSON.stringify(type)} is not supported`);
    if (kind.sensitivity === "sensitive" && !roles.has(ADMIN))
      throw new AccessDeniedError("not authorized");
    if (!(await isRegistered(core, namespace)))
      throw new AccessDeniedError(`namespace ${JSON.stringify(namespace)} is not supported`);
    return kind.sensitivity === "sensitive" ? "sensitive" : "non-sensitive";
  };
}

/** Tells the types that are secret. */
export function sensitiveOf(kinds: readonly AnyResourceType[]): (type: string) => boolean {
  const sensitive = kinds.filter(({ sensitivity }) => sensitivity === "sensitive");
  const types = new Set(sensitive.map(({ type }) => type.toLowerCase()));
  return (type) => types.has(type.toLowerCase());
}

const isRegistered = async (core: CoreStore, namespace: string): Promise<boolean> =>
  (await core.get({ namespace: "meta", type: "Namespaces.meta.cosi.dev", id: namespace })) !==
  undefined;
