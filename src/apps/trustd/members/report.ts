/** What members say of themselves: held to what they are on record as, and kept. */
import { isDeepStrictEqual } from "node:util";
import { canonicalAddress, isAddress, isLoopback } from "#config";
import { MemberRecord, MemberReport } from "#resources";
import {
  at,
  type Clock,
  type DeepReadonly,
  minutes,
  NotFoundError,
  pointerTo,
  rfc3339,
  type SpecOf,
} from "#runtime";
import { InvalidRequestError } from "#runtime/rpc";
import type { Store } from "#runtime/store";
import type { ReportedCertificate, ReportRequest } from "../../rpc/gen/node/node.ts";
import { gone, type RecordedMember } from "./asker.ts";
import { MemberBusyError, ReportRefusedError } from "./errors.ts";

/** Within what time a member is expected to report again. */
export const REPORT_EVERY = minutes(5);

/** A report that says nothing new is written down so often, for the time of it. */
const HEARD_EVERY = minutes(4);
/** So many reports of one member that say something new are kept in a minute. */
const NEWS_MAX = 20;

type Report = DeepReadonly<SpecOf<typeof MemberReport>>;

/** Keeps what members say. */
export interface Reports {
  /**
   * @throws {InvalidRequestError} for what is none
   * @throws {ReportRefusedError} for what the member is not on record as
   * @throws {MemberBusyError} when it says something new too often
   */
  keep(store: Store, member: RecordedMember, request: ReportRequest): Promise<void>;
}

/** Starts with nobody having said anything. */
export function openReports(clock: Clock): Reports {
  const news = new Map<string, { readonly since: number; count: number }>();
  const account = (nodeId: string) => {
    const now = clock.now();
    const held = news.get(nodeId);
    if (held !== undefined && Math.abs(now - held.since) < minutes(1)) return held;
    // Those whose minute is over are forgotten with the first that begins another.
    for (const [id, { since }] of news) if (Math.abs(now - since) >= minutes(1)) news.delete(id);
    const fresh = { since: now, count: 0 };
    news.set(nodeId, fresh);
    return fresh;
  };
  return {
    async keep(store, member, request) {
      const { id } = member.metadata;
      const now = clock.now();
      const next: Report = { ...checkedReport(member, request), heard: rfc3339(now) };
      const held = (await store.get(MemberReport, id))?.spec;
      const isNews = held === undefined || !isDeepStrictEqual({ ...held, heard: next.heard }, next);
      if (!isNews && Math.abs(now - at(held.heard)) < HEARD_EVERY) return;
      if (isNews && ++account(id).count > NEWS_MAX)
        throw new MemberBusyError(
          `${next.hostname} said something new more than ${NEWS_MAX} times within a minute: report ` +
            "again in a minute",
        );
      await store.modify(
        MemberReport,
        id,
        () => structuredClone(next) as SpecOf<typeof MemberReport>,
        {
          initial: next,
        },
      );
      // It may have been taken off the record meanwhile, and its report before this one with it.
      if ((await store.get(MemberRecord, id)) !== undefined) return;
      await store.destroy(pointerTo(MemberReport, id)).catch((error: unknown) => {
        if (!(error instanceof NotFoundError)) throw error;
      });
      throw gone(id);
    },
  };
}

const CERTIFICATES_MAX = 200;
const AUTHORITIES_MAX = 100;
const ADDRESSES_MAX = 1000;
const TEXT_MAX = 256;
const WHY_MAX = 2000;

/** What of a report is kept. */
function checkedReport({ spec }: RecordedMember, request: ReportRequest): Omit<Report, "heard"> {
  const { acceptedAuthorities, addresses, apiPort, certificates, serves } = request;
  most("addresses", addresses, ADDRESSES_MAX);
  most("certificates", certificates, CERTIFICATES_MAX);
  most("accepted_authorities", acceptedAuthorities, AUTHORITIES_MAX);
  if (!Number.isInteger(apiPort) || apiPort < 0 || apiPort > 65535)
    throw new InvalidRequestError(`api_port is ${apiPort}, which is no port`);
  return {
    hostname: hostnameIn(request.hostname, spec.hostname),
    addresses: addressesIn(addresses, spec),
    operatingSystem: short("operating_system", request.operatingSystem),
    certificates: certificates.map(certificateIn),
    acceptedAuthorities: acceptedAuthorities.map((each) =>
      fingerprintIn("accepted_authorities", each),
    ),
    serves: serves === "" ? "" : fingerprintIn("serves", serves),
    apiPort,
  };
}

function most(field: string, { length }: readonly unknown[], max: number): void {
  if (length > max) throw new InvalidRequestError(`${field} has ${length} items: at most ${max}`);
}

function short(field: string, text: string, max = TEXT_MAX): string {
  if (text.length <= max) return text;
  throw new InvalidRequestError(`${field} has more than ${max} characters`);
}

function hostnameIn(said: string, known: string): string {
  if (said.toLowerCase() === known.toLowerCase()) return known;
  throw new ReportRefusedError(
    `hostname ${shown(said)} is not that of this member, which is on record as ${shown(known)}: a report ` +
      "cannot change it, a new certificate can",
  );
}

/** In the order in which they are told; what every machine has leads to none. */
function addressesIn(said: readonly string[], known: RecordedMember["spec"]): readonly string[] {
  const own = new Set(known.addresses);
  return said.flatMap((text) => {
    const address = isAddress(text) ? canonicalAddress(text) : undefined;
    if (address === undefined) throw new InvalidRequestError(`addresses: ${shown(text)} is none`);
    if (own.has(address)) return [address];
    if (isLoopback(address)) return [];
    throw new ReportRefusedError(
      `addresses: ${address} is not in the certificate of ${known.hostname}: a report cannot add it, a ` +
        "new certificate can",
    );
  });
}

function certificateIn(certificate: ReportedCertificate): Report["certificates"][number] {
  const { fingerprint, id, issuerFingerprint, notAfter, serialNumber, state, why } = certificate;
  return {
    id: short("certificates.id", id),
    serialNumber: short("certificates.serial_number", serialNumber),
    // Empty for one that is missing.
    fingerprint: fingerprint && fingerprintIn("certificates.fingerprint", fingerprint),
    issuerFingerprint:
      issuerFingerprint && fingerprintIn("certificates.issuer_fingerprint", issuerFingerprint),
    notAfter: timeIn("certificates.not_after", notAfter),
    state: short("certificates.state", state),
    why: short("certificates.why", why, WHY_MAX),
  };
}

/** Empty where there is none. */
function timeIn(field: string, time: Date | undefined): string {
  if (time === undefined) return "";
  const year = time.getUTCFullYear(); // NaN for what is no time
  if (year >= 0 && year <= 9999) return rfc3339(at(time.toISOString()));
  throw new InvalidRequestError(`${field} is no time of a certificate`);
}

function fingerprintIn(field: string, text: string): string {
  if (/^[0-9a-f]{64}$/.test(text)) return text;
  throw new InvalidRequestError(
    `${field}: ${shown(text)} is no SHA-256 fingerprint: 64 lower hex digits`,
  );
}

const shown = (text: string): string => JSON.stringify(text.slice(0, 100));
