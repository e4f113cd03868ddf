/** Which calls go on record: those that change something, ask for a secret, or are refused. */
import { formatName } from "#pki";
import { rfc3339Milliseconds, type Clock } from "#runtime";
import type { Access, Call, CallStatus, Settlement } from "#runtime/rpc";
import { status } from "@grpc/grpc-js";
import type { AuditEntry } from "../audit/index.ts";
import type { Caller } from "./caller.ts";
import { rolesFor } from "./roles.ts";

/** Keeps an entry; may not fail. */
export type RecordEntry = (entry: AuditEntry) => Promise<void>;

/** What auditing needs to know. */
export interface AuditOptions {
  readonly record: RecordEntry;
  readonly clock: Clock;
  readonly callerAt: (peer: string) => Caller | undefined;
}

/** Where calls are looked at. */
export interface Auditing {
  /** Puts on record how a call ended. */
  readonly settled: Settlement;
  /** Puts on record that a secret is handed out, before it is. */
  readonly discloses: (access: Access, call: Call) => Promise<void>;
}

/** What a request is about, in a few words without a secret. */
type Describe = (request: unknown) => string;

const member =
  (name: string): Describe =>
  (request) => {
    const value = (request as Readonly<Record<string, unknown>>)[name];
    return Array.isArray(value) ? value.join(",") : typeof value === "string" ? value : "";
  };
const nothing: Describe = () => "";

const M = "/machine.MachineService/";
const C = "/trustplane.v1.ControlService/";

/** By method. Reads of files are in it, for what they hand out. */
const audited: Readonly<Partial<Record<string, Describe>>> = {
  [`${M}ApplyConfiguration`]: nothing,
  [`${M}GenerateClientConfiguration`]: member("roles"),
  [`${M}Kubeconfig`]: nothing,
  [`${M}Read`]: member("path"),
  [`${M}Reboot`]: nothing,
  [`${M}Shutdown`]: nothing,
  [`${M}ServiceStart`]: member("id"),
  [`${M}ServiceStop`]: member("id"),
  [`${M}ServiceRestart`]: member("id"),
  [`${C}Renew`]: member("ids"),
  [`${C}Rekey`]: member("ids"),
  [`${C}Deny`]: member("fingerprint"),
  [`${C}Undeny`]: member("fingerprint"),
};

/** Makes the two looks. */
export function auditing({ record, clock, callerAt }: AuditOptions): Auditing {
  const entryOf = (call: Call, resource: string, outcome: CallStatus): AuditEntry => {
    const caller = callerAt(call.peer);
    return {
      time: rfc3339Milliseconds(clock.now()),
      peer: call.peer,
      fingerprint: caller?.certificate.fingerprint ?? "",
      subject: caller ? formatName(caller.certificate.subject) : "",
      roles: caller ? [...rolesFor(caller.roles, call)] : [],
      method: call.path,
      nodes: [...call.header("node"), ...call.header("nodes")].filter((node) => node !== ""),
      resource,
      outcome: status[outcome.code],
      reason: outcome.code === status.OK ? "" : outcome.details,
    };
  };
  return {
    async settled(call, request, outcome) {
      const describe = audited[call.path];
      const isRefused = outcome.code === status.PERMISSION_DENIED;
      if (describe === undefined && !isRefused) return;
      await record(entryOf(call, describe?.(request) ?? placeOf(request), outcome));
    },
    discloses: (access, call) =>
      record(entryOf(call, placeOf(access), { code: status.OK, details: "" })),
  };
}

/** `namespace/type/id` of a request for resources; others have nothing to be named by. */
function placeOf(request: unknown): string {
  const { namespace = "", type = "", id = "" } = request as Partial<Record<string, unknown>>;
  return [namespace, type, id].filter((part) => typeof part === "string" && part !== "").join("/");
}
