/** How a node goes on after a run has ended. */
import { isLoopback } from "#config";
import type { Ending } from "./ending.ts";
import type { NodeOptions } from "./options.ts";

/** What it is started with next; undefined where it is not. */
export const nextOf = (
  { name, beginsAnew }: Ending,
  options: NodeOptions,
): NodeOptions | undefined => {
  if (name === "reboot") return rebooted(options);
  return beginsAnew === true ? { ...rebooted(options), ...blank(options) } : undefined;
};

/** Nobody wants a node back as it was that was just reset: it waits for a configuration. */
const blank = ({ maintenanceAddress, apiAddress }: NodeOptions): Partial<NodeOptions> => ({
  adopt: false, // was said of the files that stood there then
  maintenance: true,
  maintenanceAddress: maintenanceAddress ?? (isLoopback(apiAddress) ? apiAddress : "127.0.0.1"),
});

/** What is in force by then is what a reboot is about, not what the first start was given. */
const rebooted = (options: NodeOptions): NodeOptions => ({
  ...options,
  configFiles: [],
  configOverwrite: false,
});
