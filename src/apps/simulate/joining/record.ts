/**
 * What is put on record of a simulated cluster that nodes join: what its operator did, and what went over
 * the wire to its control plane. Properties go by it; no code of the cluster reads it.
 */
import { hash } from "node:crypto";
import type { Instant } from "#runtime";
import type { Machine, Note } from "#runtime/simulation";

/** The calls that nodes make. */
export type Method = "Certificate" | "Join" | "Renew";

/** A join token as it was asked for. */
export interface TokenMade {
  readonly hash: string;
  /** What stands before its dot. */
  readonly id: string;
  /** By the clock of the control plane; null: it has no end. */
  readonly notAfter: Instant | null;
  /** 0: any number. */
  readonly uses: number;
  readonly bounds: Bounds;
}

/** Empty lists bound nothing. */
export interface Bounds {
  readonly dnsNames: readonly string[];
  readonly addresses: readonly string[];
}

/** A call as it arrived. */
export interface Called {
  readonly id: string;
  readonly method: Method;
  /** Name of the node that it came from. */
  readonly from: string;
  /** SHA-256 over the token; empty where there is none. */
  readonly token: string;
  /** SHA-256 over what it says, without what proves who says it. */
  readonly digest: string;
  /** SHA-256 over what is to be signed, whichever call asks for it. */
  readonly wanted: string;
  /** Who it says it is, or is proven to be; empty where it says nothing. */
  readonly nodeId: string;
  /** By the clock of the control plane. */
  readonly at: Instant;
}

/** What was issued, in PEM; empty where there is none. */
export interface Issued {
  readonly serving: string;
  readonly identity: string;
}

/** What is done and takes effect somewhere in between is told before and after. */
export type Entry =
  | ({ readonly what: "token asked for" } & TokenMade)
  | { readonly what: "token made" | "token revoked"; readonly hash: string }
  | { readonly what: "machine token proposed" | "machine token in force"; readonly hash: string }
  | { readonly what: "policy proposed" | "policy in force"; readonly name: string }
  | { readonly what: "member removed"; readonly nodeId: string }
  | ({ readonly what: "called" } & Called)
  | ({ readonly what: "answered"; readonly id: string } & Issued)
  | { readonly what: "refused"; readonly id: string; readonly code: string };

const NAME = "joining";

/** Puts something on record. */
export const tell = ({ note }: Pick<Machine, "note">, entry: Entry): void => {
  note(NAME, JSON.stringify(entry));
};

/** What a note puts on record; undefined for one of something else. */
export const entryOf = ({ name, value }: Note): Entry | undefined =>
  name === NAME ? (JSON.parse(value) as Entry) : undefined;

/** SHA-256, lower hex. */
export const sha256 = (content: string | Uint8Array): string => hash("sha256", content, "hex");
