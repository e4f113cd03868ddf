/** `deny`, `deny list` and `undeny`. */
import { allowsUsage, type Certificate, organizations, readCertificate } from "#pki";
import { ArgumentError, UsageError } from "../errors.ts";
import { readInput } from "../files.ts";
import type { Connection } from "../flags.ts";
import type { Io } from "../io.ts";
import { withNodes } from "../nodes.ts";
import { formatTable } from "../output/table.ts";
import { timeText } from "../output/time-text.ts";
import { chosenContext, openTalosconfig } from "../talosconfig.ts";

/** Which certificate is meant: by its fingerprint, or by a file that it is in. */
interface Meant {
  readonly fingerprint: string | undefined;
  readonly certificate?: string;
}

/** Denies a certificate on each node, and says how many connections end. */
export async function deny(
  io: Io,
  { reason, ...meant }: Meant & { readonly reason: string },
  flags: Connection,
): Promise<number> {
  const { fingerprint, certificate } = await theOne(io, meant);
  if (certificate !== undefined) {
    refuseUseless(certificate, meant.certificate ?? "");
    if (organizations(certificate.subject).includes("os:impersonator"))
      io.stderr.write(
        "WARNING: this is a node's certificate: requests that it passes on are refused\n",
      );
  }
  if (fingerprint === (await ownFingerprint(io, flags)))
    io.stderr.write(
      "WARNING: this is the certificate that you ask with: the nodes turn you away from now on, and only " +
        "another administrator can undo that; whoever has the secrets makes one: trustplane gen config " +
        "NAME ENDPOINT --with-secrets secrets.yaml --output-types talosconfig\n",
    );
  return withNodes(io, flags, async (nodes) => {
    const answers = await nodes.each((node) =>
      nodes.client.deny({ fingerprint, reason }, { node }),
    );
    const rows = answers.map(({ node, answer }) => [node, fingerprint, `${answer}`]);
    if (rows.length > 0)
      io.stdout.write(formatTable([["NODE", "DENIED", "CONNECTIONS ENDED"], ...rows]));
    return nodes.status();
  });
}

/** Lets it in again. */
export async function undeny(io: Io, meant: Meant, flags: Connection): Promise<number> {
  const { fingerprint } = await theOne(io, meant);
  return withNodes(io, flags, async (nodes) => {
    const answers = await nodes.each((node) => nodes.client.undeny(fingerprint, { node }));
    const rows = answers.map(({ node }) => [node, fingerprint]);
    if (rows.length > 0) io.stdout.write(formatTable([["NODE", "NO LONGER DENIED"], ...rows]));
    return nodes.status();
  });
}

/** What the nodes turn away. */
export const denyList = (io: Io, flags: Connection): Promise<number> =>
  withNodes(io, flags, async (nodes) => {
    const answers = await nodes.each((node) => nodes.client.denied({ node }));
    const rows = answers.flatMap(({ node, answer }) =>
      answer.map((denied) => [node, denied.fingerprint, timeText(denied.since), denied.reason]),
    );
    if (answers.length > 0)
      io.stdout.write(formatTable([["NODE", "FINGERPRINT", "SINCE", "REASON"], ...rows]));
    return nodes.status();
  });

/** @throws {ArgumentError} for one that no client gets in by, so that nobody takes it for denied */
function refuseUseless(certificate: Certificate, file: string): void {
  const name = JSON.stringify(file);
  if (certificate.isCa)
    throw new ArgumentError(
      `${name} holds an authority: it is dropped by rotating it, not by deny`,
    );
  if (!allowsUsage(certificate, "clientAuth"))
    throw new ArgumentError(
      `${name} is no client certificate (no client auth usage): nobody is turned away by it`,
    );
}

/** @throws {UsageError} unless exactly one certificate is named */
async function theOne(
  io: Io,
  { fingerprint, certificate }: Meant,
): Promise<{ readonly fingerprint: string; readonly certificate?: Certificate }> {
  if ((fingerprint === undefined) === (certificate === undefined))
    throw new UsageError(
      "name a certificate by its fingerprint, or by --certificate with its file",
    );
  if (certificate !== undefined) {
    const read = readCertificate(await readInput(io, certificate), certificate);
    return { fingerprint: read.fingerprint, certificate: read };
  }
  const text = (fingerprint ?? "").replaceAll(":", "").toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(text))
    throw new UsageError(
      `${JSON.stringify(fingerprint)} is no fingerprint: SHA-256 has 64 hex digits, with or without colons`,
    );
  return { fingerprint: text };
}

/** Undefined where there is none to read: the failure is told when the nodes are asked. */
async function ownFingerprint(io: Io, flags: Connection): Promise<string | undefined> {
  try {
    const { context } = chosenContext(await openTalosconfig(io, flags), flags);
    return context.crt === undefined ? undefined : readCertificate(context.crt).fingerprint;
  } catch {
    return undefined;
  }
}
