/** The kinds of documents that a configuration may hold (talos-pki.md §4.4). */

/** What there is to know of a kind whose content is not looked at. */
interface Kind {
  /** Refused in a worker's configuration. */
  readonly controlPlaneOnly?: true;
}

const controlPlane: Kind = { controlPlaneOnly: true };
const any: Kind = {};

/** Every kind that Talos 1.13 and 1.14 know, by subject. */
export const kinds: Readonly<Record<string, Kind>> = {
  // the cluster, Kubernetes, and trust
  DiscoveryIdentityConfig: any,
  DiscoveryServiceConfig: any,
  KubeAdmissionControlConfig: controlPlane,
  KubeAggregatorCAConfig: controlPlane,
  KubeAPIServerCAConfig: any,
  KubeAPIServerConfig: controlPlane,
  KubeAuditPolicyConfig: controlPlane,
  KubeAuthenticationConfig: controlPlane,
  KubeAuthorizerConfig: controlPlane,
  KubeClusterConfig: any,
  KubeControllerManagerConfig: controlPlane,
  KubeCoreDNSConfig: controlPlane,
  KubeCredentialProviderConfig: any,
  KubeEtcdEncryptionConfig: controlPlane,
  KubeExternalManifestConfig: controlPlane,
  KubeFlannelCNIConfig: controlPlane,
  KubeInlineManifestConfig: controlPlane,
  KubeletConfig: any,
  KubeNetworkConfig: any,
  KubeNodeConfig: any,
  KubePrismConfig: any,
  KubeProxyConfig: controlPlane,
  KubeSchedulerConfig: controlPlane,
  KubeServiceAccountConfig: controlPlane,
  KubeStaticPodConfig: any,
  KubeTalosAPIAccessConfig: controlPlane,
  TrustedRootsConfig: any,
  // network
  BGPConfig: any,
  BGPInstanceConfig: any,
  BGPPeerConfig: any,
  BlackholeRouteConfig: any,
  BondConfig: any,
  BridgeConfig: any,
  DHCPv4Config: any,
  DHCPv6Config: any,
  DummyLinkConfig: any,
  EthernetConfig: any,
  HCloudVIPConfig: any,
  HostnameConfig: any,
  HTTPProbeConfig: any,
  KubeSpanConfig: any,
  KubeSpanEndpointsConfig: any,
  Layer2VIPConfig: any,
  LinkAliasConfig: any,
  LinkConfig: any,
  NetworkDefaultActionConfig: any,
  NetworkRuleConfig: any,
  ResolverConfig: any,
  RoutingRuleConfig: any,
  SideroLinkConfig: any,
  StaticHostConfig: any,
  TCPProbeConfig: any,
  TimeSyncConfig: any,
  VethConfig: any,
  VLANConfig: any,
  VRFConfig: any,
  VXLANConfig: any,
  WireguardConfig: any,
  // storage
  DiskSMARTConfig: any,
  ExistingVolumeConfig: any,
  ExternalVolumeConfig: any,
  FilesystemScrubConfig: any,
  FilesystemTrimConfig: any,
  RawVolumeConfig: any,
  SwapVolumeConfig: any,
  UserVolumeConfig: any,
  VolumeConfig: any,
  ZswapConfig: any,
  // images and the machine
  CPUScalingConfig: any,
  CRIBaseRuntimeSpecConfig: any,
  CRICustomizationConfig: any,
  EnvironmentConfig: any,
  EtcFileConfig: any,
  EventSinkConfig: any,
  ExtensionServiceConfig: any,
  ImageCacheConfig: any,
  ImageVerificationConfig: any,
  KernelModuleConfig: any,
  KmsgLogConfig: any,
  OOMConfig: any,
  PCIDriverRebindConfig: any,
  RegistryAuthConfig: any,
  RegistryMirrorConfig: any,
  RegistryTLSConfig: any,
  SecurityProfileConfig: any,
  SysctlConfig: any,
  SysfsConfig: any,
  UdevRulesConfig: any,
  UnattendedInstallConfig: any,
  WatchdogTimerConfig: any,
};

/** The kind that most resembles a text, for who mistyped it. */
export function nearestKind(text: string): string | undefined {
  const wanted = text.toLowerCase();
  const near = Object.keys(kinds).find((kind) => {
    const name = kind.toLowerCase();
    return name === wanted || name === `${wanted}config` || `${name}s` === wanted;
  });
  return near ?? Object.keys(kinds).find((kind) => distanceIsSmall(kind.toLowerCase(), wanted));
}

/** Tells whether one letter too many, too few or wrong separates two texts. */
function distanceIsSmall(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1) return false;
  let i = 0;
  while (i < a.length && a[i] === b[i]) i++;
  const [restA, restB] = [a.slice(i), b.slice(i)];
  return restA.slice(1) === restB.slice(1) || restA.slice(1) === restB || restA === restB.slice(1);
}
