/** `gen ca|key|csr|crt|keypair`: single keys and certificates (talos-pki.md §3.7). */
import {
  buildName,
  certifyCsr,
  issueCertificate,
  issueCsr,
  leafProfiles,
  readAuthority,
  readCsr,
  SKEW,
  webCryptoKeys,
  type Certificate,
  type PrivateKey,
} from "#pki";
import { after, hours } from "#runtime";
import { ArgumentError } from "../../errors.ts";
import { readInput, refuseExisting, writeOutputs } from "../../files.ts";
import type { Io } from "../../io.ts";
import { withProgress } from "../../terminal.ts";

interface Forced {
  readonly force: boolean;
}

/** Makes an authority. */
export async function genCa(
  io: Io,
  o: Forced & { readonly organization: string; readonly hours: number; readonly rsa: boolean },
): Promise<number> {
  const names = ["crt", "sha256", "key"].map((suffix) => `${o.organization}.${suffix}`);
  await refuseExisting(io, names, o.force);
  const { issueKey } = webCryptoKeys();
  const key = await withProgress(io, "making a key", () => issueKey(o.rsa ? "RSA-4096" : "Ed25519"));
  const certificate = await issueAuthority(io, { key, ...o, lifetime: hours(o.hours) });
  const hash = Buffer.from(certificate.spkiFingerprint, "base64").toString("hex");
  const contents = [certificate.pem, `sha256:${hash}`, await key.pem()];
  const files = names.map((path, i) => ({ path, content: contents[i] ?? "" }));
  await writeOutputs(io, files, o.force);
  return 0;
}

/** Makes a private key. */
export async function genKey(io: Io, o: Forced & { readonly name: string }): Promise<number> {
  const path = `${o.name}.key`;
  await refuseExisting(io, [path], o.force);
  const key = await webCryptoKeys().issueKey("Ed25519");
  await writeOutputs(io, [{ path, content: await key.pem() }], o.force);
  return 0;
}

/** Makes a request with roles as its subject. */
export async function genCsr(
  io: Io,
  o: Forced & { readonly key: string; readonly ip: string; readonly roles?: readonly string[] },
): Promise<number> {
  const { rolesOf } = await import("../../roles.ts");
  const organizations = rolesOf(o.roles);
  const path = `${o.key.replace(/\.[^./]*$/, "")}.csr`;
  await refuseExisting(io, [path], o.force);
  const pem = await readInput(io, o.key);
  const key = await webCryptoKeys().readKey(pem, o.key);
  await checkLabel(pem, key, o.key);
  const subject = buildName({ organizations: [...organizations] });
  const content = await issueCsr({ key, subject, dnsNames: [], ipAddresses: [o.ip] });
  await writeOutputs(io, [{ path, content }], o.force);
  return 0;
}

/** Issues a client certificate for a request. */
export async function genCrt(
  io: Io,
  o: Forced & {
    readonly name: string;
    readonly ca: string;
    readonly csr: string;
    readonly hours: number;
  },
): Promise<number> {
  const path = `${o.name}.crt`;
  await refuseExisting(io, [path], o.force);
  const pair = {
    crt: await readInput(io, `${o.ca}.crt`),
    key: await readInput(io, `${o.ca}.key`),
  };
  const authority = await readAuthority(pair, webCryptoKeys(), `${o.ca}.crt, ${o.ca}.key`);
  await checkLabel(pair.key, authority.key, `${o.ca}.key`);
  const csr = await readCsr(await readInput(io, o.csr), o.csr);
  const { clock, random } = io;
  const issued = await certifyCsr({
    csr,
    subject: csr.subject,
    authority,
    profile: leafProfiles.talosClient,
    lifetime: hours(o.hours),
    now: clock.now(),
    random,
  });
  await writeOutputs(io, [{ path, content: issued.pem }], o.force);
  return 0;
}

/** Makes a self-signed authority of one day that carries addresses. */
export async function genKeypair(
  io: Io,
  o: Forced & { readonly organization: string; readonly ip?: readonly string[] },
): Promise<number> {
  const names = { crt: `${o.organization}.crt`, key: `${o.organization}.key` };
  await refuseExisting(io, Object.values(names), o.force);
  const key = await webCryptoKeys().issueKey("Ed25519");
  const certificate = await issueAuthority(io, {
    key,
    organization: o.organization,
    lifetime: hours(24),
    ipAddresses: o.ip ?? [],
  });
  await writeOutputs(
    io,
    [
      { path: names.crt, content: certificate.pem },
      { path: names.key, content: await key.pem() },
    ],
    o.force,
  );
  return 0;
}

/** @throws {ArgumentError} when the label of a key is that of another type */
async function checkLabel(pem: string, key: PrivateKey, path: string): Promise<void> {
  const { keyLabelProblem } = await import("#config"); // the others do without configurations
  const problem = keyLabelProblem(pem, key);
  if (problem !== undefined) throw new ArgumentError(`${path}: ${problem}`);
}

/** An authority as siderolabs/crypto builds them (talos-pki.md §2.1). */
function issueAuthority(
  { clock, random }: Io,
  o: {
    readonly key: PrivateKey;
    readonly organization: string;
    readonly lifetime: number;
    readonly ipAddresses?: readonly string[];
  },
): Promise<Certificate> {
  const notBefore = after(clock.now(), -SKEW);
  return issueCertificate({
    issuer: "self",
    key: o.key,
    subject: buildName({ organizations: [o.organization] }),
    publicKey: o.key.publicKey,
    notBefore,
    notAfter: after(notBefore, o.lifetime),
    keyUsages: ["digitalSignature", "keyCertSign"],
    extKeyUsages: ["serverAuth", "clientAuth"],
    ca: true,
    subjectKeyId: random.bytes(20),
    ipAddresses: [...(o.ipAddresses ?? [])],
    random,
  });
}
