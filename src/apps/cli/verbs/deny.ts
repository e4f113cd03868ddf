/** `deny`, `deny list` and `undeny`. */
import { readCertificate } from "#pki";
import { UsageError } from "../errors.ts";
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
  const fingerprint = await fingerprintOf(io, meant);
  if (fingerprint === (await ownFingerprint(io, flags)))
    io.stderr.write(
      "WARNING: this is the certificate that you ask with: the nodes turn you away from now on, and only " +
        "another administrator can undo that\n",
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
  const fingerprint = await fingerprintOf(io, meant);
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

/** @throws {UsageError} unless exactly one certificate is named */
async function fingerprintOf(io: Io, { fingerprint, certificate }: Meant): Promise<string> {
  if ((fingerprint === undefined) === (certificate === undefined))
    throw new UsageError(
      "name a certificate by its fingerprint, or by --certificate with its file",
    );
  if (certificate !== undefined)
    return readCertificate(await readInput(io, certificate), certificate).fingerprint;
  const text = (fingerprint ?? "").replaceAll(":", "").toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(text))
    throw new UsageError(
      `${JSON.stringify(fingerprint)} is no fingerprint: SHA-256 has 64 hex digits, with or without colons`,
    );
  return text;
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
