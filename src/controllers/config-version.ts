/**
 * Which version of the configuration a derived resource comes from. One change of the configuration
 * reaches a leaf on several ways; whoever issues it waits until all of them have brought it, so that
 * nothing is issued twice, or for a mixture of old and new that nobody asked for.
 */
import { after, type Instant, minutes, type Resource, resource } from "#runtime";

const VERSION = "trustplane.dev/config-version";
/** A mixture that lasts is no reason to let certificates end. */
const PATIENCE = minutes(1);

/** An output that is derived from the configuration, alone or by way of other resources. */
export const derived = <Spec>(spec: Spec, version: string) =>
  resource(spec, { annotations: version === "" ? {} : { [VERSION]: version } });

/** The version that what is derived from the configuration itself bears. */
export const versionOf = (config: Resource): string => String(config.metadata.version);

/** The versions that resources were derived from: one, or several with commas; empty when unknown. */
export function versionsOf(resources: readonly Resource[]): string {
  const known = resources.flatMap(
    ({ metadata }) => metadata.annotations[VERSION]?.split(",") ?? [],
  );
  return [...new Set(known)].sort().join(",");
}

/** Until when to wait for what is still on its way; null when all is of one version, or never was in time. */
export type WaitForRest = (now: Instant, resources: readonly Resource[]) => Instant | null;

/** A wait that ends after a minute at the latest. */
export function waitForRest(): WaitForRest {
  let since: Instant | null = null;
  return (now, resources) => {
    if (!versionsOf(resources).includes(",")) since = null;
    else if (since === null || now < since) since = now;
    if (since === null || now >= after(since, PATIENCE)) return null;
    return after(since, PATIENCE);
  };
}
