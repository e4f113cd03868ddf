/**
 * What a person does to a cluster that nodes join. What takes effect somewhere in between is put on
 * record before and after, so that a crash in the middle leaves no doubt about what may be.
 */
import { ACTIVE, JoinToken, MachineConfig } from "#resources";
import { after } from "#runtime";
import { clusterStoreIn } from "../../node/cluster-store.ts";
import { applyConfiguration } from "../../node/apply-configuration.ts";
import { type FollowedPolicy, followPolicy } from "../../node/policy.ts";
import { policyPort } from "../../node/policy-port.ts";
import { openRegister } from "../../trustd/members/register.ts";
import { openTokens } from "../../trustd/tokens.ts";
import type { Operator } from "#runtime/simulation";
import { surroundings } from "../node.ts";
import { CONTROL_PLANE, idOf, joinToken, machineToken, STRANGER, withToken } from "./cluster.ts";
import { policies } from "./policies.ts";
import { sha256, tell, type Bounds } from "./record.ts";

/** A token that the operator makes. */
export interface TokenPlan {
  readonly name: string;
  /** 0: any number. */
  readonly uses: number;
  /** Milliseconds; left out: it has no end. */
  readonly lifetime?: number;
  readonly bounds?: Bounds;
}

/** A person would not go by a clock that is wrong. */
const isAtControlPlane = (operator: Operator): boolean =>
  operator.name === CONTROL_PLANE && operator.isClockRight();

const tokensOf = (operator: Operator, name: string) =>
  openTokens({
    cluster: clusterStoreIn(operator.store),
    clock: operator.clock,
    random: operator.shared(`join token ${name}`),
  });

/** Makes a join token, unless it is made. */
export const makes =
  ({ name, uses, lifetime, bounds = { dnsNames: [], addresses: [] } }: TokenPlan) =>
  async (operator: Operator): Promise<void> => {
    if (!isAtControlPlane(operator)) return;
    const token = joinToken(operator, name);
    const hash = sha256(token);
    const [id = ""] = token.split(".");
    if ((await operator.store.get(JoinToken, id)) !== undefined) return;
    const notAfter = lifetime === undefined ? null : after(operator.clock.now(), lifetime);
    tell(operator, { what: "token asked for", hash, id, notAfter, uses, bounds });
    const request = { description: name, uses, lifetime, machineType: "", ...bounds };
    await tokensOf(operator, name).create(request);
    tell(operator, { what: "token made", hash });
  };

/** Ends a join token before its time. */
export const revokes =
  (name: string) =>
  async (operator: Operator): Promise<void> => {
    if (!isAtControlPlane(operator)) return;
    const token = joinToken(operator, name);
    const [id = ""] = token.split(".");
    await tokensOf(operator, name).revoke(id);
    tell(operator, { what: "token revoked", hash: sha256(token) });
  };

/** Puts the next shared token into the configuration of the control plane. */
export const replacesMachineToken =
  (number: number) =>
  async (operator: Operator): Promise<void> => {
    if (!isAtControlPlane(operator)) return;
    const token = machineToken(operator, number);
    tell(operator, { what: "machine token proposed", hash: sha256(token) });
    await configures(operator, token);
    tell(operator, { what: "machine token in force", hash: sha256(token) });
  };

/** Tells a worker another token. */
export const tells =
  (name: string, token: (operator: Operator) => string) =>
  async (operator: Operator): Promise<void> => {
    if (operator.name === name) await configures(operator, token(operator));
  };

/** What each process of a control plane follows; its operator waits until that has come into force. */
const followed = new WeakMap<Operator["store"], FollowedPolicy>();

/** Follows the policy in force from now on. */
export async function followsPolicy(operator: Operator): Promise<FollowedPolicy> {
  const policy = await followPolicy(operator);
  followed.set(operator.store, policy);
  return policy;
}

/** Applies one of the policies of this simulation. */
export const appliesPolicy =
  (name: string) =>
  async (operator: Operator): Promise<void> => {
    const policy = followed.get(operator.store);
    if (!isAtControlPlane(operator) || policy === undefined) return;
    const { store, clock } = operator;
    await operator.takes(1); // what is waited for below may come late
    tell(operator, { what: "policy proposed", name });
    const text = JSON.stringify({ description: name, profiles: policies[name]?.rules });
    const port = policyPort({ followed: policy, store, cluster: clusterStoreIn(store), clock });
    await port.apply(text, { dryRun: false });
    tell(operator, { what: "policy in force", name });
  };

/** Takes the stranger off the record, if it is on it. */
export async function removesStranger(operator: Operator): Promise<void> {
  if (!isAtControlPlane(operator)) return;
  const { store, clock, log } = operator;
  const register = openRegister({ cluster: clusterStoreIn(store), store, clock, log });
  await register.remove(STRANGER);
  tell(operator, { what: "member removed", nodeId: idOf(operator, STRANGER) });
}

async function configures(operator: Operator, token: string): Promise<void> {
  const stored = await operator.store.get(MachineConfig, ACTIVE);
  if (stored === undefined) return;
  const text = withToken(stored.spec.yaml, token);
  await applyConfiguration(text, { ...surroundings(operator), dryRun: false });
}
