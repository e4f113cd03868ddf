/** What a member says of itself: what it is called, what it holds, whom it trusts. */
import { inventory, nothingHeld, trustedCAs } from "#controllers";
import { isLoopback } from "#config";
import { type Certificate, readCertificate, signedBy } from "#pki";
import {
  ApiCertificates,
  CertificateStatus,
  fqdn,
  HostnameStatus,
  MemberRecord,
  NodeAddress,
  NodeCertificate,
  OSRoot,
} from "#resources";
import { CodedError } from "#runtime";
import type { Store } from "#runtime/store";
import type { ReportedCertificate, ReportRequest } from "../rpc/gen/node/node.ts";

/** Kinds that a report is made of. */
export const REPORTED = [
  ApiCertificates,
  CertificateStatus,
  HostnameStatus,
  NodeAddress,
  NodeCertificate,
] as const;

export interface ReporterOptions {
  readonly store: Store;
  readonly nodeId: string;
  /** What this node calls its program. */
  readonly operatingSystem: string;
  /** Where its API listens. */
  readonly apiPort: number;
}

/** Undefined as long as too little is known. */
export async function reportOf(options: ReporterOptions): Promise<ReportRequest | undefined> {
  const { store, nodeId, operatingSystem, apiPort } = options;
  const hostname = await store.get(HostnameStatus, "hostname");
  const addresses = await store.get(NodeAddress, "current");
  const api = await store.get(ApiCertificates, "api");
  const serving = certificateIn(api?.spec.server.crt);
  if (!hostname || !addresses || !api || !serving) return undefined;
  const recorded = (await store.get(MemberRecord, nodeId))?.spec.addresses;
  const known = new Set(recorded ?? serving.ipAddresses.filter((each) => !isLoopback(each)));
  return {
    hostname: fqdn(hostname.spec),
    addresses: addresses.spec.addresses.filter((address) => known.has(address)),
    operatingSystem,
    certificates: await certificatesIn(store),
    acceptedAuthorities: api.spec.acceptedCAs.flatMap(
      ({ crt }) => certificateIn(crt)?.fingerprint ?? [],
    ),
    serves: serving.fingerprint,
    apiPort,
  };
}

async function certificatesIn(store: Store): Promise<ReportedCertificate[]> {
  const found = async <T>(looking: Promise<T | undefined>) => (await looking) ?? null;
  const held = {
    ...nothingHeld,
    os: await found(store.get(OSRoot, "os")),
    api: await found(store.get(ApiCertificates, "api")),
    node: await found(store.get(NodeCertificate, "node")),
  };
  const authorities = held.os ? trustedCAs(held.os.spec, held.node?.spec) : [];
  const statuses = new Map(
    (await store.list(CertificateStatus)).map(({ metadata, spec }) => [metadata.id, spec]),
  );
  const reported: ReportedCertificate[] = [];
  for (const { id, crt } of inventory(held)) {
    const certificate = certificateIn(crt);
    const status = statuses.get(id);
    if (status === undefined) continue;
    reported.push({
      id,
      serialNumber: status.serialNumber,
      fingerprint: certificate?.fingerprint ?? "",
      issuerFingerprint: certificate ? await issuerOf(certificate, authorities) : "",
      notAfter: certificate && new Date(certificate.notAfter),
      state: status.state,
      why: status.why.slice(0, WHY_MAX),
    });
  }
  return reported;
}

/** More is not taken. */
const WHY_MAX = 1000;

async function issuerOf(certificate: Certificate, authorities: readonly Certificate[]) {
  for (const authority of authorities)
    if (await signedBy(certificate, authority)) return authority.fingerprint;
  return "";
}

function certificateIn(crt = ""): Certificate | undefined {
  try {
    return readCertificate(crt);
  } catch (error) {
    if (error instanceof CodedError) return undefined;
    throw error;
  }
}
