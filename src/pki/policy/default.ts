/** The policy that is in force where nobody has said anything else: what Talos would issue, and no more. */
import { hours } from "#runtime";
import { leafProfiles, type LeafProfile, type ProfileName } from "../profiles.ts";
import type { Policy, ProfileRules, RuleName } from "./policy.ts";

const keyAlgorithms = ["Ed25519", "P-256", "P-384", "P-521", "RSA-2048"];

/** What follows from the profile itself. */
function asIssued(profile: LeafProfile): ProfileRules {
  const { commonName, organizations = [], keyUsages, extKeyUsages, lifetime } = profile;
  return {
    ...(commonName !== undefined && { commonNames: [commonName] }),
    organizations,
    ...(extKeyUsages.includes("serverAuth") ? { dnsNames: ["*"] } : { namesMax: 0 }),
    keyUsages,
    extKeyUsages,
    lifetimeMax: `${lifetime / hours(1)}h`,
    keyAlgorithms,
  };
}

/** Where a profile bounds less, or others ask than the node for itself. */
const differences: Readonly<
  Partial<
    Record<ProfileName, { readonly besides?: ProfileRules; readonly without?: readonly RuleName[] }>
  >
> = {
  talosClient: {
    // Roles that nobody knows have no effect; those of nodes and of Kubernetes are not for users.
    besides: { organizations: ["*"], excludedOrganizations: ["trustplane:*", "system:*"] },
    // They live as long as is asked for, and `gen csr` puts an address in.
    without: ["namesMax", "lifetimeMax"],
  },
  userAdmin: { without: ["lifetimeMax"] },
  nodeServer: { besides: { commonNameIsName: true, namesMax: 100, wildcards: false } },
};

function rulesOf(name: ProfileName): ProfileRules {
  const { besides, without = [] } = differences[name] ?? {};
  const bounds = Object.entries({ ...asIssued(leafProfiles[name]), ...besides });
  return Object.fromEntries(bounds.filter(([rule]) => !without.includes(rule as RuleName)));
}

/** The default policy, with every profile that there is. */
export const defaultPolicy: Policy = {
  profiles: Object.fromEntries(
    Object.keys(leafProfiles).map((name) => [name, rulesOf(name as ProfileName)]),
  ),
};
