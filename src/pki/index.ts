/** Certificates, keys, names and what Talos issues with them; a library that knows no runtime. */
export { addressOctets, addressText, canonicalAddress, isDnsName } from "./address.ts";
export {
  authorityPem,
  isSelfSigned,
  issueAuthority,
  mayIssue,
  readAuthority,
  SKEW,
} from "./authority.ts";
export type { KeyedPem } from "./authority.ts";
export { readCertificate, readCertificates, serialHex } from "./certificate.ts";
export type {
  Certificate,
  Extension,
  ExtensionFacts,
  KeyUsage,
  NameConstraints,
} from "./certificate.ts";
export { issueCsr, readCsr } from "./csr.ts";
export type { Csr } from "./csr.ts";
export { readDuration, writeDuration } from "./duration.ts";
export {
  AlgorithmMismatchError,
  AlgorithmUnsupportedError,
  AltNameInvalidError,
  AuthorityExpiredError,
  CertificateParseError,
  CertificateRefusedError,
  CsrRejectedError,
  CsrSignatureError,
  DerError,
  KeyEncryptedError,
  KeyMismatchError,
  KeyParseError,
  NotAuthorityError,
  PemError,
  PemLabelError,
  PolicyInvalidError,
  PolicyRefusedError,
  PolicyUnreadableError,
} from "./errors.ts";
export { fingerprintsOf } from "./fingerprints.ts";
export { passGate } from "./gate.ts";
export type { LeafExpectation } from "./gate.ts";
export type { GeneralName, GeneralSubtree } from "./general-name.ts";
export { issueCertificate } from "./issue.ts";
export type { Authority, CertificateRequest } from "./issue.ts";
export { readKeyed } from "./keyed.ts";
export type { Keyed } from "./keyed.ts";
export { defaultSignature, familyOf, readPublicKey, sameKey } from "./keys/algorithms.ts";
export type { KeyFamily } from "./keys/algorithms.ts";
export type {
  KeyAlgorithm,
  KeyProvider,
  PrivateKey,
  PublicKey,
  SignatureAlgorithm,
} from "./keys/key.ts";
export { publicKeyPem, signedBy, talosPublicKeyPem, verifySignature } from "./keys/public-key.ts";
export { readPrivateKey, softwareKey } from "./keys/software-key.ts";
export { webCryptoKeys } from "./keys/web-crypto.ts";
export { certifyCsr, leafIssuer, leafKeyUnder } from "./leaf.ts";
export type { IssueLeaf, LeafRequest } from "./leaf.ts";
export { requestIssuer } from "./new-request.ts";
export type { IssueRequest, KeyedRequest, NewRequest } from "./new-request.ts";
export {
  buildName,
  commonName,
  formatName,
  nameParts,
  organizations,
  readName,
  sameName,
} from "./name.ts";
export type { Name, NameAttribute, NameParts } from "./name.ts";
export { parseCertificate } from "./parse.ts";
export { pemOf, readPem, writePem } from "./pem.ts";
export type { PemBlock } from "./pem.ts";
export {
  compilePolicy,
  defaultInForce,
  enforce,
  defaultPolicy,
  describeRefusal,
  examine,
  judge,
  withholding,
} from "./policy/index.ts";
export type {
  Bounds,
  CompiledPolicy,
  Finding,
  Judged,
  Policy,
  PolicyInForce,
  ProfileRules,
  Refusal,
} from "./policy/index.ts";
export { authorityProfiles, leafProfiles } from "./profiles.ts";
export type { AuthorityProfile, LeafProfile, ProfileName, RootName } from "./profiles.ts";
export { isToReplace, keepLeaf, reissueReason, renewAt } from "./renewal.ts";
export type { KeptLeaf, ReissueReason, Replacement } from "./renewal.ts";
export { allowsUsage, isFor, matchesDnsName, verifyChain } from "./verify/index.ts";
export type {
  ChainCode,
  ChainFault,
  ChainRequest,
  ChainVerdict,
  HostName,
  Usage,
} from "./verify/index.ts";
