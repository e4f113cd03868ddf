/** What is asked for is told of before it is admitted, and so no more of it than fits a line. */
import { hash } from "node:crypto";
import { formatName, type Csr } from "#pki";
import type { Logger } from "#runtime";

/** As many names of a kind are told of; how many there are tells the rest. */
const NAMES_TOLD_MAX = 20;
/** As much of each. */
const NAME_TOLD_MAX = 256;

/** Tells what is asked for, as Talos' trustd logs it; whose key it is for tells one from another. */
export function tellAsked(log: Logger, peer: string, csr: Csr, nodeId: string): void {
  const { subject, dnsNames, ipAddresses, publicKey } = csr;
  const all = [dnsNames, ipAddresses];
  log.info(
    {
      ...{ peer, subject: cut(formatName(subject)) },
      ...{ dnsNames: firstOf(dnsNames), ipAddresses: firstOf(ipAddresses) },
      ...(all.some(({ length }) => length > NAMES_TOLD_MAX) && { names: all.flat().length }),
      spkiFingerprint: hash("sha256", publicKey.spki, "hex"),
      ...(nodeId && { nodeId }),
    },
    "certificate requested",
  );
}

const firstOf = (names: readonly string[]) => names.slice(0, NAMES_TOLD_MAX).map(cut);

const cut = (text: string): string =>
  text.length > NAME_TOLD_MAX ? `${text.slice(0, NAME_TOLD_MAX)}…` : text;
