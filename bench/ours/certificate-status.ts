/** What a node says of each of its certificates. */
import type { CertificateStatus } from "#resources";
import type { SpecOf } from "#runtime";

export const certificateStatus: SpecOf<typeof CertificateStatus> = {
  state: "Valid",
  why: "",
  subject: "CN = node-1",
  issuer: "O = talos",
  serialNumber: "0a",
  notBefore: "2030-01-01T00:00:00Z",
  notAfter: "2030-01-02T00:00:00Z",
  renewAt: "2030-01-01T12:00:00Z",
  nextAttempt: "",
  lastError: "",
  chain: "ok",
  keyAlgorithm: "Ed25519",
  signatureAlgorithm: "Ed25519",
  keyUsages: ["digitalSignature"],
  extKeyUsages: ["serverAuth"],
  dnsNames: ["node-1"],
  ipAddresses: ["127.0.0.1"],
  spkiFingerprint: "",
  source: "",
  peerSkew: "",
};
