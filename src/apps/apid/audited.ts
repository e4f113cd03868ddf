/** Methods that change something or hand out a secret, and what their requests are about. */
import type { TokenCreateRequest, TokenRevokeRequest } from "../rpc/gen/control/control.ts";

/** What a request is about, in a few words without a secret. */
export type Describe = (request: unknown) => string;

const member =
  (name: string): Describe =>
  (request) => {
    const value = (request as Readonly<Record<string, unknown>>)[name];
    return Array.isArray(value) ? value.join(",") : typeof value === "string" ? value : "";
  };
const nothing: Describe = () => "";
const howReset: Describe = (request) =>
  (request as { readonly graceful: boolean }).graceful ? "graceful" : "";

/** What it is good for; a description is for people, and may be long. */
const tokenAsked: Describe = (request) => {
  const { uses, lifetime, machineType, dnsNames, addresses } = request as TokenCreateRequest;
  return [
    machineType === "" ? "worker" : machineType,
    uses === 0 ? "any number of uses" : `uses ${uses}`,
    lifetime === undefined ? "without an end" : `for ${lifetime.seconds}s`,
    ...[...dnsNames, ...addresses],
  ].join(" ");
};
/** Who gives the whole token for its id would find it here. */
const tokenNamed: Describe = (request) => (request as TokenRevokeRequest).id.slice(0, 6);

const M = "/machine.MachineService/";
const C = "/trustplane.v1.ControlService/";
const N = "/trustplane.v1.NodeService/";
const S = "/cosi.resource.State/";

/** By method. Reads of files are in it, for what they hand out. */
export const audited: Readonly<Partial<Record<string, Describe>>> = {
  [`${M}ApplyConfiguration`]: nothing,
  [`${M}GenerateClientConfiguration`]: member("roles"),
  [`${M}Kubeconfig`]: nothing,
  [`${M}Read`]: member("path"),
  [`${M}Reboot`]: nothing,
  [`${M}Shutdown`]: nothing,
  [`${M}Reset`]: howReset,
  [`${M}ServiceStart`]: member("id"),
  [`${M}ServiceStop`]: member("id"),
  [`${M}ServiceRestart`]: member("id"),
  [`${C}Renew`]: member("ids"),
  [`${C}Rekey`]: member("ids"),
  [`${C}Deny`]: member("fingerprint"),
  [`${C}Undeny`]: member("fingerprint"),
  [`${C}PolicyApply`]: nothing,
  [`${C}TokenCreate`]: tokenAsked,
  [`${C}TokenRevoke`]: tokenNamed,
  [`${C}MemberRemove`]: member("member"),
  [`${N}Renew`]: nothing,
  [`${N}Leave`]: nothing,
};

/** Methods that read resources, by which secrets are handed out. */
export const stateReads: ReadonlySet<string> = new Set([`${S}Get`, `${S}List`, `${S}Watch`]);

/** The type that a request for resources names. */
export const typeOf = member("type");

/** `namespace/type/id` of a request for resources; others have nothing to be named by. */
export function placeOf(request: unknown): string {
  const { namespace = "", type = "", id = "" } = request as Partial<Record<string, unknown>>;
  return [namespace, type, id].filter((part) => typeof part === "string" && part !== "").join("/");
}
