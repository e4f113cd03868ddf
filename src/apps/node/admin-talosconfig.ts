/** The administrator's talosconfig in the state directory, written where there is none. */
import { access, open, rename } from "node:fs/promises";
import { issueTalosconfig, writeTalosconfig } from "#config";
import type { IssueLeaf } from "#pki";
import { ACTIVE, MachineConfig, OSRoot } from "#resources";
import type { Clock } from "#runtime";
import type { Store } from "#runtime/store";
import { loadMachineConfig } from "#config";

/** apid's port where none is named. */
export const DEFAULT_PORT = 50000;

/** `ADDRESS`, with the port when it is not the default one; IPv6 in brackets when a port follows. */
export function endpoint(address: string, port: number): string {
  if (port === DEFAULT_PORT) return address;
  return address.includes(":") ? `[${address}]:${String(port)}` : `${address}:${String(port)}`;
}

/** Issues an `os:admin` identity and writes it to `path`, unless a file is there. */
export async function keepAdminTalosconfig(options: {
  readonly path: string;
  readonly address: string;
  readonly port: number;
  readonly store: Store;
  readonly clock: Clock;
  readonly issueLeaf: IssueLeaf;
}): Promise<"written" | "kept"> {
  const { path, store, clock, issueLeaf } = options;
  if (await there(path)) return "kept";
  const root = await store.get(OSRoot, "os");
  const config = await store.get(MachineConfig, ACTIVE);
  if (!root?.spec.issuingCA || !config) return "kept";
  const talosconfig = await issueTalosconfig({
    authority: root.spec.issuingCA,
    acceptedCAs: root.spec.acceptedCAs.map(({ crt }) => crt),
    contextName: loadMachineConfig(config.spec.yaml).clusterName,
    roles: ["os:admin"],
    endpoints: [endpoint(options.address, options.port)],
    nodes: [options.address],
    now: clock.now(),
    issueLeaf,
  });
  const temporary = `${path}.new`;
  const file = await open(temporary, "w", 0o600);
  try {
    await file.chmod(0o600);
    await file.writeFile(writeTalosconfig(talosconfig));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  return "written";
}

const there = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
