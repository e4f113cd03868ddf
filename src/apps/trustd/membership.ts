/** What members tell and are told, whatever their calls travel by. */
import type { ReportRequest, ReportResponse, WatchNodeResponse } from "../rpc/gen/node/node.ts";
import type { MemberAsker } from "./signer.ts";

/** The members of a cluster, each of which acts for itself only. */
export interface Membership {
  /** Keeps what a member says of itself, within what it is on record. */
  report(asker: MemberAsker, request: ReportRequest): Promise<ReportResponse>;
  /** What concerns a member: at once, at each change, and at least once a minute, until aborted. */
  watch(asker: MemberAsker, signal: AbortSignal): AsyncIterable<WatchNodeResponse>;
  /** Takes a member off the record at its own wish. */
  leave(asker: MemberAsker): Promise<void>;
}
