/** What a new configuration does to those who reach the node by the authority before. */
import { loadMachineConfig, type MachineConfig as Config } from "#config";
import { readCertificate } from "#pki";
import { CodedError, type Instant, minutes, after, rfc3339 } from "#runtime";
import { ConfigRefusedError } from "./acceptance.ts";
import type { StoredConfig } from "./stored-configuration.ts";

/** A machine that makes an authority, and a node that takes it up, may differ by so much. */
const SKEW_MAX = minutes(5);

/**
 * Refuses an issuing authority that nobody could reach the node by. That its key fits, that it has not
 * expired and that it may issue is for the checks of every configuration to say.
 *
 * @throws {ConfigRefusedError} when it is not valid yet
 */
export function refuseCutOff(config: Config, now: Instant): void {
  const { issuingCA } = config.osRoot();
  if (issuingCA === undefined) return;
  const { notBefore } = readCertificate(issuingCA.crt);
  if (notBefore <= after(now, SKEW_MAX)) return;
  throw new ConfigRefusedError(
    `machine.ca is not valid before ${rfc3339(notBefore)}: until then nobody could reach this node; ` +
      "put it into machine.acceptedCAs now, and into machine.ca when its time has come",
  );
}

/** An authority that is replaced and not kept among the accepted ones takes all its clients along. */
export function warnOfLockout(stored: StoredConfig | undefined, config: Config): string[] {
  try {
    const before = stored && loadMachineConfig(stored.spec.yaml).osRoot().issuingCA;
    const { acceptedCAs } = config.osRoot();
    const kept = acceptedCAs.map(({ crt }) => readCertificate(crt).fingerprint);
    if (!before || kept.includes(readCertificate(before.crt).fingerprint)) return [];
    return [
      "machine.ca is another authority, and the one before is not in machine.acceptedCAs: every " +
        "client with a certificate of it is turned away from now on, this one too. The node writes " +
        "a new talosconfig to <state-dir>/talosconfig when it starts again",
    ];
  } catch (error) {
    if (error instanceof CodedError) return []; // what was stored cannot be read any more
    throw error;
  }
}
