/**
 * Maintenance: a node without configuration waits for one. What it listens with is issued by a root of
 * its own that nobody knows, so the one who configures it compares the fingerprint that it prints.
 */
import { type IssueLeaf, leafIssuer, leafProfiles, readCertificate } from "#pki";
import { CertSAN, MaintenanceRoot } from "#resources";
import type { Logger } from "#runtime";
import type { AuditLog } from "../audit/index.ts";
import { startMaintenance } from "../apid/index.ts";
import type { Surroundings } from "./acceptance.ts";
import { endpoint } from "./admin-talosconfig.ts";
import { applyConfiguration } from "./apply-configuration.ts";
import { unlessStopped } from "./lifetime.ts";
import { known } from "./state-directory.ts";
import { build } from "./version.ts";

/** What a node in maintenance needs. */
interface MaintenanceOptions extends Surroundings {
  readonly address: string;
  readonly port: number;
  readonly log: Logger;
  readonly audit: AuditLog;
  readonly signal: AbortSignal;
  /** Told where it listens and what to compare. */
  readonly tell: (text: string) => void;
}

/**
 * Serves until a configuration was taken, then never again.
 *
 * @throws {ListenError}; the reason of the signal
 */
export async function awaitConfiguration(options: MaintenanceOptions): Promise<void> {
  const { store, address, port, clock, log, signal, tell } = options;
  const identity = await unlessStopped(signal, issueIdentity(options, leafIssuer(options)));
  await using maintenance = await startMaintenance({
    address,
    port,
    identity,
    store,
    kinds: known,
    clock,
    log,
    build,
    record: (entry) => options.audit.record(entry),
    // Whatever the mode: there is nothing before that could stay in force, or come back.
    applyConfiguration: async ({ data, dryRun }) => {
      const { warnings, details } = await applyConfiguration(data, { ...options, dryRun });
      return { warnings, modeDetails: details };
    },
  });
  const { port: bound } = maintenance;
  // As `--cert-fingerprint` takes it: base64 of the SHA-256 over the SubjectPublicKeyInfo.
  const fingerprint = readCertificate(identity.crt, "the maintenance certificate").spkiFingerprint;
  log.info({ address, port: bound, fingerprint }, "in maintenance");
  tell(invitation(fingerprint, address, bound));
  await unlessStopped(signal, maintenance.configured);
}

function invitation(fingerprint: string, address: string, port: number): string {
  const place = endpoint(address, port);
  return (
    `in maintenance on ${place}: this node has no configuration yet, and takes one from whoever gets there ` +
    `first; certificate fingerprint ${fingerprint}\n` +
    `try: trustplane apply-config -i -n ${place} -f controlplane.yaml --cert-fingerprint ${fingerprint}\n`
  );
}

async function issueIdentity({ store, clock, signal }: MaintenanceOptions, issueLeaf: IssueLeaf) {
  const held = { types: ["created", "updated"] } as const;
  const root = await store.watchFor(MaintenanceRoot, "maintenance", held, { signal });
  const names = await store.watchFor(CertSAN, "maintenance", held, { signal });
  return issueLeaf({
    profile: leafProfiles.maintenanceServer,
    authority: root.spec.ca,
    dnsNames: names.spec.dnsNames,
    ipAddresses: names.spec.ips,
    now: clock.now(),
  });
}
