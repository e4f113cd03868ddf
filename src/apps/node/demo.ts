/** The configuration of a demo: one control plane with five new roots. */
import { generateMachineConfigs, issueBundle } from "#config";
import type { KeyProvider } from "#pki";
import type { Clock, Random } from "#runtime";

const VERSION = "v1.13";

/** Issues the roots of a cluster `demo` and writes its control plane's configuration. */
export async function demoConfig(options: {
  readonly demoAddress: string;
  readonly keys: KeyProvider;
  readonly clock: Pick<Clock, "now">;
  readonly random: Random;
}): Promise<string> {
  const { keys, random, clock, demoAddress } = options;
  const bundle = await issueBundle({ talosVersion: VERSION, keys, random, now: clock.now() });
  const host = demoAddress.includes(":") ? `[${demoAddress}]` : demoAddress;
  return generateMachineConfigs({
    clusterName: "demo",
    endpoint: `https://${host}:6443`,
    bundle,
    talosVersion: VERSION,
  }).controlplane;
}
