/**
 * Keeps what trustd serves on a control plane; like apid it does not wait for the clock. A name that
 * `machine.certSANs` adds is for apid, which is reissued for it; trustd's certificate takes it up at
 * its next renewal. Any other change of its names is taken up at once.
 */
import {
  type IssueLeaf,
  isToReplace,
  type KeyedPem,
  leafProfiles,
  reissueReason,
  type Replacement,
} from "#pki";
import {
  CertSAN,
  MachineType,
  NetworkStatus,
  OSRoot,
  RenewalRequest,
  TimeStatus,
  TrustdCertificates,
} from "#resources";
import { all, defineController, exclusive, gate, maybe, one } from "#runtime";
import { waitForRest } from "../config-version.ts";
import { keepLeaves } from "../leaves.ts";
import { certificateIn, readableOnes } from "../readable.ts";
import { replacementsOf } from "../renewal-requests.ts";

/** Under which ids its leaves are reported, and asked for. */
const IDS = {
  server: "trustd-server",
} as const;

export const trustdController = ({ issueLeaf }: { issueLeaf: IssueLeaf }) => {
  const waitUntil = waitForRest();
  return defineController({
    name: "secrets.TrustdController",
    inputs: {
      root: one(OSRoot, "os"),
      type: one(MachineType, "machine-type"),
      network: gate(NetworkStatus, "status", (s) => s.addressReady && s.hostnameReady),
      names: gate(CertSAN, "api"),
      time: maybe(TimeStatus, "node"), // not waited for: a change of the clock is a reason to look
      requests: all(RenewalRequest),
    },
    outputs: { certificates: exclusive(TrustdCertificates) },

    async reconcile({ inputs, held, clock }) {
      const root = inputs.root.spec;
      const controlPlane = inputs.type.spec.type === "controlplane";
      if (!root.issuingCA || !controlPlane) return { outputs: { certificates: {} } };
      const wakeAt = waitUntil(clock.now(), [inputs.root, inputs.names]);
      if (wakeAt !== null) return { outputs: { certificates: held.certificates }, wakeAt };
      const { fqdn, dnsNames, ips } = inputs.names.spec;
      const holding = held.certificates.trustd?.server;
      const wanted = {
        profile: leafProfiles.trustdServer,
        authority: root.issuingCA,
        commonName: fqdn,
        dnsNames,
        ipAddresses: ips,
      };
      const added = [...root.certSANDNSNames, ...root.certSANIPs];
      const asHeld = { ...wanted, ...(holding && namesStillGood(holding, wanted, added)) };
      const replacements = replacementsOf(inputs.requests, IDS);
      const good =
        !isAskedFor(holding, replacements.server) &&
        (await reissueReason(holding, { ...asHeld, now: clock.now() })) === null;
      const { leaves, renewAt } = await keepLeaves({
        held: { server: holding },
        wanted: { server: good ? asHeld : wanted },
        replacements,
        issueLeaf,
        clock,
      });
      const { server } = leaves;
      const acceptedCAs = readableOnes(root.acceptedCAs);
      const trustd = server ? { acceptedCAs, server } : undefined;
      return { outputs: { certificates: { trustd } }, wakeAt: renewAt };
    },
  });
};

/** A leaf that is replaced anyway takes up what was added. */
function isAskedFor(held: KeyedPem | undefined, replacement: Replacement | undefined): boolean {
  const certificate = held && certificateIn(held.crt);
  return certificate !== undefined && isToReplace(certificate, replacement);
}

interface Names {
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
}

/** The names of a certificate that lacks none but added ones and has none that is not wanted. */
function namesStillGood(
  held: KeyedPem,
  wanted: Names,
  added: readonly string[],
): Names | undefined {
  const certificate = certificateIn(held.crt);
  if (!certificate) return undefined;
  const { dnsNames, ipAddresses } = certificate;
  const has = new Set([...dnsNames, ...ipAddresses]);
  const wants = [...wanted.dnsNames, ...wanted.ipAddresses];
  const lacksOnlyAdded = wants.every((name) => has.has(name) || added.includes(name));
  const hasNoOther = [...has].every((name) => wants.includes(name));
  return lacksOnlyAdded && hasNoOther ? { dnsNames, ipAddresses } : undefined;
}
