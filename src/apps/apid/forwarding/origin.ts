/** Who a request that was passed on is from, as the node that passes it on says. */
import { fingerprintsOf, formatName } from "#pki";
import type { Call } from "#runtime/rpc";
import type { Caller } from "../caller.ts";
import { mayForward } from "../roles.ts";

/** A caller as other nodes hear of it. */
export interface Origin {
  /** Address and port. */
  readonly peer: string;
  /** Of its certificate, the usual one first; see {@link fingerprintsOf}. */
  readonly fingerprints: readonly string[];
  readonly subject: string;
}

/** Base64url of JSON; believed from who may forward, and nobody else. */
export const ORIGIN_HEADER = "trustplane-caller";

const TEXT_MAX = 256;
const FINGERPRINTS_MAX = 8;

/** What a node says of the caller that it passes a request on for; undefined when none says so. */
export function claimedOrigin(call: Call, { roles }: Caller): Origin | undefined {
  const [value] = mayForward(roles) ? call.header(ORIGIN_HEADER) : [];
  return value === undefined ? undefined : read(value);
}

/** Who is to be named to another node: the caller, or who it was named as. */
export const originOf = (call: Call, caller: Caller): Origin =>
  claimedOrigin(call, caller) ?? {
    peer: call.peer,
    fingerprints: fingerprintsOf(caller.certificate),
    subject: formatName(caller.certificate.subject),
  };

export const originText = ({ subject, ...origin }: Origin): string =>
  Buffer.from(JSON.stringify({ ...origin, subject: subject.slice(0, TEXT_MAX) })).toString(
    "base64url",
  );

function read(value: string): Origin | undefined {
  try {
    const { peer, fingerprints, subject } = JSON.parse(
      Buffer.from(value, "base64url").toString(),
    ) as Record<keyof Origin, unknown>;
    if (!isText(peer) || !isText(subject) || !Array.isArray(fingerprints)) return undefined;
    if (fingerprints.length > FINGERPRINTS_MAX) return undefined;
    return { peer, subject, fingerprints: fingerprints.filter(isText) };
  } catch {
    return undefined; // of another version, or of none
  }
}

const isText = (value: unknown): value is string =>
  typeof value === "string" && value.length <= TEXT_MAX;
