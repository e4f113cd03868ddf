import { expect, test } from "vitest";
import { connect, type CertificateProblemError } from "../../../src/apps/client/index.ts";
import { leafProfiles, readCertificate, type KeyedPem } from "#pki";
import { after, days, rfc3339, systemClock } from "#runtime";
import { issueClient, issueRoot, issueServer } from "../apid/running-node.ts";

const now = systemClock.now();
const source = 'context "admin" in ./talosconfig';

function problemOf(root: KeyedPem, identity: KeyedPem): CertificateProblemError | undefined {
  try {
    connect({
      endpoints: ["127.0.0.1"],
      ca: root.crt,
      ...identity,
      source,
      clock: systemClock,
    }).close();
    return undefined;
  } catch (error) {
    return error as CertificateProblemError;
  }
}

test("an expired certificate stops us before we connect, and says whose it is and what to do", async () => {
  const root = await issueRoot();
  const old = await issueClient(root, ["os:admin"], {
    now: after(now, -days(2)),
    lifetime: days(1),
  });
  const { fingerprint, notBefore, notAfter } = readCertificate(old.crt);
  expect(problemOf(root, old)).toMatchObject({
    code: "ERR_CLIENT_CERTIFICATE_EXPIRED",
    message:
      `failed to connect: x509: certificate has expired: the client certificate of ${source} ` +
      `(subject O=os:admin, valid from ${rfc3339(notBefore)} to ${rfc3339(notAfter)}, ` +
      `SHA-256 fingerprint ${fingerprint})`,
    fingerprint,
    hint:
      "issue a new talosconfig: trustplane gen config NAME ENDPOINT --with-secrets secrets.yaml " +
      "--output-types talosconfig",
  });
});

test("so does one that is not valid yet, for nothing, for too much, or with another's key", async () => {
  const root = await issueRoot();
  const good = await issueClient(root);
  const early = await issueClient(root, ["os:admin"], { now: after(now, days(2)) });
  const server = await issueServer(root);
  const both = await issueClient(root, ["os:admin"], {
    profile: { ...leafProfiles.talosClient, extKeyUsages: ["serverAuth", "clientAuth"] },
  });
  const found = (identity: KeyedPem) => problemOf(root, identity)?.message.split(": the client")[0];
  expect(found(good)).toBeUndefined();
  expect(found(early)).toBe("failed to connect: x509: certificate is not yet valid");
  expect(found(server)).toBe("certificate is missing the client auth extended key usage");
  expect(found(both)).toMatch(/^certificate has more than the client auth extended key usage/);
  expect(found({ ...good, key: server.key })).toBe(
    "the private key is not that of the certificate",
  );
  expect(problemOf(root, { ...good, key: "nonsense" })?.code).toBe("ERR_CLIENT_CERTIFICATE_KEY");
  expect(problemOf(root, { ...good, crt: "nonsense" })?.message).toContain(source);
});
