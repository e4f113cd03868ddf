/** Issues the identity of a Talos client, as a talosconfig (talos-pki.md §3.6). */
import { type IssueLeaf, type KeyedPem, leafProfiles } from "#pki";
import type { Instant } from "#runtime";
import { readRoles } from "../roles.ts";
import type { Talosconfig } from "./talosconfig.ts";

/** What a client's identity is made from. */
export interface TalosconfigRequest {
  /** The root of the Talos API, with its key. */
  readonly authority: KeyedPem;
  /** What the client trusts servers by, PEM; the authority alone where absent. */
  readonly acceptedCAs?: readonly string[];
  /** The cluster's name, or {@link contextNameOf} it. */
  readonly contextName: string;
  readonly roles: readonly string[];
  /** ms; a year where absent. Never longer than the authority's own. */
  readonly lifetime?: number;
  readonly endpoints?: readonly string[];
  readonly nodes?: readonly string[];
  readonly now: Instant;
  readonly issueLeaf: IssueLeaf;
}

/**
 * Issues a client certificate and writes it, its authority and where to connect into a talosconfig of
 * one context.
 *
 * @throws {UnknownRolesError} naming those that Talos does not have
 * @throws {AuthorityExpiredError} when the authority has ended
 */
export async function issueTalosconfig(request: TalosconfigRequest): Promise<Talosconfig> {
  const { authority, contextName, endpoints = [], nodes = [], now, lifetime, issueLeaf } = request;
  const { crt, key } = await issueLeaf({
    profile: leafProfiles.talosClient,
    authority,
    organizations: readRoles(request.roles),
    now,
    ...(lifetime !== undefined && { lifetime }),
  });
  const trusted = [...new Set([...(request.acceptedCAs ?? []), authority.crt])];
  const context = {
    endpoints: [...endpoints],
    ...(nodes.length > 0 && { nodes: [...nodes] }),
    ca: trusted.map((pem) => (pem.endsWith("\n") ? pem : `${pem}\n`)).join(""),
    crt,
    key,
  };
  return { context: contextName, contexts: { [contextName]: context } };
}

/** The name of the context that a node answers with: `admin@cluster`; of several roles, `cluster`. */
export function contextNameOf(cluster: string, roles: readonly string[]): string {
  const [role, ...others] = roles;
  return role === undefined || others.length > 0
    ? cluster
    : `${role.replace(/^os:/, "")}@${cluster}`;
}
