/** The controllers of a node: the one literal list. */
import { hostname as machineHostname } from "node:os";
import { checkMachineConfig, ConfigInvalidError, loadMachineConfig } from "#config";
import {
  apiCertSANsController,
  apiController,
  type AskCertificate,
  type AskTime,
  certificateStatusController,
  clusterInfoController,
  directories,
  type Directory,
  fileStatusController,
  encryptionSaltController,
  endpointController,
  etcdController,
  hostnameController,
  kubeletController,
  kubernetesCertSANsController,
  kubernetesController,
  kubernetesDynamicCertsController,
  machineTokenController,
  machineTypeController,
  maintenanceCertSANsController,
  maintenanceRootController,
  memberController,
  networkStatusController,
  nodeAddressController,
  nodeCertificateController,
  pkiFilesController,
  type PublishFiles,
  type ResolveHost,
  rootEtcdController,
  rootKubernetesController,
  rootOSController,
  securityStatusController,
  timeStatusController,
  trustdController,
  trustedRootsController,
} from "#controllers";
import {
  authorityProfiles,
  issueAuthority,
  type KeyProvider,
  leafIssuer,
  type PolicyInForce,
  publicKeyPem,
  readCertificate,
  requestIssuer,
} from "#pki";
import { type Clock, type Controller, days, type Instant, type Random } from "#runtime";
import { tokenHash } from "../trustd/token-state.ts";
import type { Damage } from "./damage.ts";
import { machineAddresses } from "./own-names.ts";
import { operatingSystem } from "./version.ts";

interface Capabilities {
  readonly keys: KeyProvider;
  readonly random: Random;
  /** What may be issued; by default the default policy is in force. */
  readonly policy?: PolicyInForce;
  readonly clock: Pick<Clock, "onStep">;
  readonly apiAddress: string;
  readonly hostname?: string;
  /** Addresses of control planes; default none but this node. */
  readonly members?: readonly string[];
  /** Whether nodes may join by `machine.token`; default yes. */
  readonly machineToken?: boolean;
  readonly askTime: AskTime;
  /** How a worker gets its certificates; default from nobody. */
  readonly askCertificate?: AskCertificate;
  /** Default: no name is known. */
  readonly resolveHost?: ResolveHost;
  readonly publishFiles: PublishFiles;
  /** Stored resources that could not be read. */
  readonly damaged?: readonly Damage[];
  /** Default: those of this machine. */
  readonly interfaceAddresses?: () => readonly string[];
}

/** Every controller of a node, given what it may do to the world. */
export function nodeControllers(options: Capabilities): readonly Controller[] {
  const { keys, random, publishFiles } = options;
  const issueLeaf = leafIssuer(options);
  return [
    machineTypeController(),
    hostnameController({
      machine: machineHostname(),
      ...(options.hostname !== undefined && { override: options.hostname }),
    }),
    nodeAddressController({
      apiAddress: options.apiAddress,
      interfaceAddresses: options.interfaceAddresses ?? machineAddresses,
    }),
    networkStatusController(),
    clusterInfoController(),
    memberController({
      controlPlanes: options.members ?? [],
      operatingSystem,
    }),
    timeStatusController({
      askTime: options.askTime,
      onStep: (listener) => options.clock.onStep(listener),
    }),
    rootOSController(),
    rootEtcdController(),
    rootKubernetesController(),
    kubeletController(),
    maintenanceRootController({
      issue: (now) => issueAuthority(authorityProfiles.maintenance, { keys, random, now }),
    }),
    apiCertSANsController(),
    kubernetesCertSANsController(),
    maintenanceCertSANsController(),
    endpointController({ resolveHost: options.resolveHost ?? resolveNothing }),
    nodeCertificateController({
      askCertificate: options.askCertificate ?? askNobody,
      issueRequest: requestIssuer({ keys }),
    }),
    apiController({ issueLeaf }),
    trustdController({ issueLeaf }),
    machineTokenController({ hashOf: tokenHash, enabled: options.machineToken !== false }),
    etcdController({ issueLeaf }),
    kubernetesController({ issueLeaf }),
    kubernetesDynamicCertsController({ issueLeaf }),
    trustedRootsController(),
    encryptionSaltController(),
    certificateStatusController({ keyMatches: (pem) => keyMatches(keys, pem) }),
    securityStatusController({
      keyAlgorithmOf: async (pem) => (await keys.readKey(pem)).algorithm,
      reviewConfig: oncePerDay((yaml, now) => reviewConfig(yaml, now, keys)),
      damaged: options.damaged ?? [],
    }),
    ...(Object.keys(directories) as Directory[]).map((directory) =>
      pkiFilesController({ directory, publicKeyOf: publicKeyBy(keys), publishFiles }),
    ),
    fileStatusController(),
  ];
}

const publicKeyBy = (keys: KeyProvider) => async (pem: string) =>
  publicKeyPem((await keys.readKey(pem)).publicKey);

const resolveNothing: ResolveHost = () => Promise.reject(new Error("there is nobody to ask"));
const askNobody: AskCertificate = () => Promise.reject(new Error("there is nobody to ask"));

async function keyMatches(keys: KeyProvider, pem: { crt: string; key: string }): Promise<boolean> {
  const { publicKey } = await keys.readKey(pem.key);
  return Buffer.from(publicKey.spki).equals(readCertificate(pem.crt).publicKey.spki);
}

type Review = (yaml: string, now: Instant) => Promise<readonly string[]>;

/** It is asked whenever a certificate is renewed, and says the same of the same text all day long. */
function oncePerDay(review: Review): Review {
  let last: { yaml: string; day: number; said: Promise<readonly string[]> } | undefined;
  return (yaml, now) => {
    const day = Math.floor(now / days(1));
    if (last?.yaml !== yaml || last.day !== day) last = { yaml, day, said: review(yaml, now) };
    return last.said;
  };
}

/** What `validate` would say of a stored configuration. */
async function reviewConfig(yaml: string, now: Instant, keys: KeyProvider): Promise<string[]> {
  try {
    const config = loadMachineConfig(yaml, "the stored configuration");
    return (await checkMachineConfig(config, { mode: "container", now, keys })).warnings;
  } catch (error) {
    if (error instanceof ConfigInvalidError) return [...error.problems];
    return [error instanceof Error ? error.message : String(error)];
  }
}
