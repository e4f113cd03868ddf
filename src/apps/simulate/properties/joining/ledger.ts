/**
 * The record of a simulated cluster as an account: which tokens there are and what became of them, which
 * policy is in force, who is a member, and who was answered what. Written from what was done and said
 * alone; nothing here is read from what the code under test keeps.
 */
import type { Instant } from "#runtime";
import { after, hours, minutes } from "#runtime";
import type { NodeView, Note, WorldView } from "#runtime/simulation";
import { entryOf, type Called, type Entry, type TokenMade } from "../../joining/record.ts";
import { factsOf, type Facts } from "../certificate.ts";

/** How long a `machine.token` is taken after another has come into force; docs/join.md says so. */
const OVERLAP = hours(24);
/** Until a control plane that is well has seen what its operator did. */
const SEEN_IN = minutes(40);

/** A token, and what became of it. */
export interface Token extends TokenMade {
  isMade: boolean;
  isRevoked: boolean;
  /** Digests of the requests that it was answered for. */
  readonly answered: Map<string, Answer>;
}

/** A shared token of all workers. */
export interface MachineToken {
  isInForce: boolean;
  /** True time; undefined as long as no other came into force. */
  replacedAt: Instant | undefined;
  /** By the clock of the control plane: then it is over for sure. */
  endsAt: Instant | undefined;
}

/** A call with a token or an identity that was answered with certificates. */
export interface Answer {
  readonly call: Called;
  readonly serving: Facts;
  readonly identity: Facts | undefined;
  /** What was answered before for the same request. */
  readonly before: Answer | undefined;
  /** Names of the policies that were in force at some time while it was decided. */
  readonly policies: ReadonlySet<string>;
  /** Why what it was made with was good for nothing when it came; undefined: it was good. */
  readonly objection: string | undefined;
  /** What the member joined with; undefined for who is none, or was taken off the record. */
  readonly member: Member | undefined;
}

/** Who has joined. */
export interface Member {
  readonly nodeId: string;
  /** The join that made it what it is; renewals do not. */
  readonly joined: Called;
  /** What it was answered last that was not said before. */
  last: Answer;
}

interface Open {
  readonly call: Called;
  readonly policies: Set<string>;
  readonly objection: string | undefined;
}

const DEFAULT_POLICY = "default";

/** Kept for one simulation. */
export class Ledger {
  readonly tokens = new Map<string, Token>();
  readonly machineTokens = new Map<string, MachineToken>();
  readonly members = new Map<string, Member>();
  /** Ids of those that were taken off the record, and have not come back since. */
  readonly removed = new Set<string>();
  /** Those since the last look. */
  answers: readonly Answer[] = [];
  /** By requester and message, what it was answered. */
  readonly #answered = new Map<string, Answer>();
  readonly #open = new Map<string, Open>();
  #policies: ReadonlySet<string> = new Set([DEFAULT_POLICY]);
  #noted: readonly Note[] = [];
  #read = 0;
  #lookedAt: Instant | undefined;

  /** Takes up what is new; asked twice at one look, it is nothing. */
  look(world: WorldView, controlPlane: NodeView): void {
    const { noted } = controlPlane;
    const isSameLook = noted === this.#noted && noted.length === this.#read;
    if (isSameLook && this.#lookedAt === world.now) return;
    if (noted !== this.#noted) this.#read = 0;
    const news = noted.slice(this.#read);
    [this.#noted, this.#read, this.#lookedAt] = [noted, noted.length, world.now];
    this.answers = [];
    for (const note of news) {
      const entry = entryOf(note);
      if (entry !== undefined) this.#take(entry, world.now);
    }
    if (controlPlane.isUp && controlPlane.isCalm(SEEN_IN))
      this.#endMachineTokens(world, controlPlane);
  }

  /** The policies that may be in force at this moment: two while one is replaced by the other. */
  get policies(): ReadonlySet<string> {
    return this.#policies;
  }

  #take(entry: Entry, now: Instant): void {
    switch (entry.what) {
      case "token asked for": {
        const made = { ...entry, isMade: false, isRevoked: false, answered: new Map() };
        this.tokens.set(entry.hash, made);
        return;
      }
      case "token made":
      case "token revoked": {
        const token = this.tokens.get(entry.hash);
        if (token === undefined) return;
        if (entry.what === "token made") token.isMade = true;
        else token.isRevoked = true;
        return;
      }
      case "machine token proposed":
        this.machineTokens.set(entry.hash, nobodyYet());
        return;
      case "machine token in force":
        for (const [hash, token] of this.machineTokens)
          if (hash === entry.hash) token.isInForce = true;
          else token.replacedAt ??= now;
        return;
      case "policy proposed":
        this.#setPolicies(new Set([...this.#policies, entry.name]));
        return;
      case "policy in force":
        this.#setPolicies(new Set([entry.name]));
        return;
      case "member removed":
        this.members.delete(entry.nodeId);
        this.removed.add(entry.nodeId);
        for (const [key, { call }] of this.#answered)
          if (call.nodeId === entry.nodeId) this.#answered.delete(key);
        return;
      case "called":
        this.#open.set(entry.id, {
          call: entry,
          policies: new Set(this.#policies),
          objection:
            entry.method === "Renew" ? this.#objectionToMember(entry) : this.#objectionTo(entry),
        });
        return;
      case "refused":
        this.#open.delete(entry.id);
        return;
      case "answered":
        this.#answer(entry);
    }
  }

  #setPolicies(policies: ReadonlySet<string>): void {
    this.#policies = policies;
    for (const open of this.#open.values()) for (const name of policies) open.policies.add(name);
  }

  /** Why who renews may not. */
  #objectionToMember({ nodeId }: Called): string | undefined {
    if (this.removed.has(nodeId)) return "the identity of a member that was removed";
    return this.members.has(nodeId) ? undefined : "the identity of no member";
  }

  /** Why the token of a call is good for nothing now. */
  #objectionTo({ token: hash, at }: Called): string | undefined {
    const shared = this.machineTokens.get(hash);
    if (shared !== undefined)
      return shared.endsAt !== undefined && at > shared.endsAt
        ? "a machine.token that was replaced"
        : undefined;
    const token = this.tokens.get(hash);
    if (token === undefined) return "a token that there never was";
    if (token.isRevoked) return "a token that was revoked";
    if (token.notAfter !== null && at > token.notAfter) return "a token that had ended";
    return undefined;
  }

  #answer({ id, serving, identity }: Extract<Entry, { readonly what: "answered" }>): void {
    const open = this.#open.get(id);
    this.#open.delete(id);
    if (open === undefined) return;
    const { call } = open;
    const key = [call.method, call.token || call.nodeId, call.digest].join();
    const before = this.#answered.get(key);
    const answer: Answer = {
      ...open,
      serving: factsOf(serving),
      identity: identity === "" ? undefined : factsOf(identity),
      before,
      member: this.members.get(call.nodeId),
    };
    this.answers = [...this.answers, answer];
    this.#answered.set(key, before ?? answer);
    this.tokens.get(call.token)?.answered.set(call.digest, answer);
    if (before === undefined) this.#enter(answer);
  }

  /** A member is who was answered, from the first time on. */
  #enter(answer: Answer): void {
    const { call } = answer;
    if (call.method === "Join") {
      this.removed.delete(call.nodeId);
      this.members.set(call.nodeId, { nodeId: call.nodeId, joined: call, last: answer });
    }
    const member = this.members.get(call.nodeId);
    if (call.method === "Renew" && member !== undefined) member.last = answer;
  }

  #endMachineTokens({ now }: WorldView, { clock }: NodeView): void {
    for (const token of this.machineTokens.values())
      if (token.replacedAt !== undefined && now - token.replacedAt > SEEN_IN)
        token.endsAt ??= after(clock.now(), OVERLAP);
  }
}

const nobodyYet = (): MachineToken => ({
  isInForce: false,
  replacedAt: undefined,
  endsAt: undefined,
});
