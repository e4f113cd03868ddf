/**
 * Keeps what trustd serves on a control plane; like apid it does not wait for the clock. A name that
 * `machine.certSANs` adds is for apid, which is reissued for it; trustd's certificate takes it up at
 * its next renewal. Any other change of its names is taken up at once.
 */
import {
  type IssueLeaf,
  keepLeaf,
  type KeyedPem,
  leafProfiles,
  readCertificate,
  reissueReason,
} from "#pki";
import {
  CertSAN,
  MachineType,
  NetworkStatus,
  OSRoot,
  TimeStatus,
  TrustdCertificates,
} from "#resources";
import { defineController, exclusive, gate, maybe, one } from "#runtime";

export const trustdController = ({ issueLeaf }: { issueLeaf: IssueLeaf }) =>
  defineController({
    name: "secrets.TrustdController",
    inputs: {
      root: one(OSRoot, "os"),
      type: one(MachineType, "machine-type"),
      network: gate(NetworkStatus, "status", (s) => s.addressReady && s.hostnameReady),
      names: gate(CertSAN, "api"),
      time: maybe(TimeStatus, "node"), // not waited for: a change of the clock is a reason to look
    },
    outputs: { certificates: exclusive(TrustdCertificates) },

    async reconcile({ inputs, held, clock }) {
      const root = inputs.root.spec;
      const controlPlane = inputs.type.spec.type === "controlplane";
      if (!root.issuingCA || !controlPlane) return { outputs: { certificates: {} } };
      const { fqdn, dnsNames, ips } = inputs.names.spec;
      const holding = held.certificates.trustd?.server;
      const wanted = { dnsNames, ipAddresses: ips };
      const request = {
        profile: leafProfiles.trustdServer,
        authority: root.issuingCA,
        commonName: fqdn,
        ...wanted,
        now: clock.now(),
      };
      const added = [...root.certSANDNSNames, ...root.certSANIPs];
      const current = holding && namesStillGood(holding, wanted, added);
      const good = current && (await reissueReason(holding, { ...request, ...current })) === null;
      const server = await keepLeaf({
        held: holding,
        request: good ? { ...request, ...current } : request,
        issueLeaf,
      });
      return {
        outputs: {
          certificates: { trustd: { acceptedCAs: root.acceptedCAs, server: server.leaf } },
        },
        wakeAt: server.renewAt,
      };
    },
  });

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
  const { dnsNames, ipAddresses } = readCertificate(held.crt);
  const has = new Set([...dnsNames, ...ipAddresses]);
  const wants = [...wanted.dnsNames, ...wanted.ipAddresses];
  const lacksOnlyAdded = wants.every((name) => has.has(name) || added.includes(name));
  const hasNoOther = [...has].every((name) => wants.includes(name));
  return lacksOnlyAdded && hasNoOther ? { dnsNames, ipAddresses } : undefined;
}
