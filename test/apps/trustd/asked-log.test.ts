/** What is told of a request before it is admitted. */
import { expect, test } from "vitest";
import { buildName, type Csr } from "#pki";
import type { Logger } from "#runtime";
import { tellAsked } from "../../../src/apps/trustd/asked-log.ts";

test("no request has more told of it than some of its names, as far as they fit", () => {
  const told: object[] = [];
  const log = { info: (about: object) => void told.push(about) } as unknown as Logger;
  const csr = {
    subject: buildName({ commonName: "c".repeat(300) }),
    dnsNames: Array.from({ length: 5000 }, () => "x".repeat(300)),
    ipAddresses: ["10.0.0.1"],
    publicKey: { spki: Buffer.from("a key") },
  } as unknown as Csr;
  tellAsked(log, "10.0.0.7:40000", csr, "");
  expect(told).toEqual([
    {
      peer: "10.0.0.7:40000",
      subject: `CN = ${"c".repeat(251)}…`,
      dnsNames: Array.from({ length: 20 }, () => `${"x".repeat(256)}…`),
      ipAddresses: ["10.0.0.1"],
      names: 5001,
      spkiFingerprint: "8fa3aab2faa9b79e0a0398da5b5abd0780142442a5be80b9a64608d718cb1fcd",
    },
  ]);
});
