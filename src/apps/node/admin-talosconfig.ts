/** The administrator's talosconfig in the state directory, written when there is none that works. */
import { access, open, readFile, rename, rm } from "node:fs/promises";
import {
  issueTalosconfig,
  loadMachineConfig,
  readTalosconfig,
  type TalosContext,
  type Talosconfig,
  writeTalosconfig,
} from "#config";
import { type IssueLeaf, readCertificate, readCertificates, verifyChain } from "#pki";
import { ACTIVE, MachineConfig, OSRoot } from "#resources";
import { type Clock, CodedError, type Instant, type Logger } from "#runtime";
import type { Store } from "#runtime/store";

/** apid's port where none is named. */
export const DEFAULT_PORT = 50000;

/** `ADDRESS`, with the port when it is not the default one; IPv6 in brackets when a port follows. */
export function endpoint(address: string, port: number): string {
  if (port === DEFAULT_PORT) return address;
  return address.includes(":") ? `[${address}]:${String(port)}` : `${address}:${String(port)}`;
}

/**
 * Writes a talosconfig with an `os:admin` identity to `path`, unless the one there works: its identity
 * is accepted now, it trusts what apid presents, and it leads here. Contexts of other clusters stay.
 */
export async function keepAdminTalosconfig(options: {
  readonly path: string;
  readonly address: string;
  readonly port: number;
  readonly store: Store;
  readonly clock: Clock;
  readonly issueLeaf: IssueLeaf;
  readonly log: Logger;
}): Promise<"written" | "kept"> {
  const { path, address, store, log, issueLeaf } = options;
  const root = await store.get(OSRoot, "os");
  const contextName = await ownContext(store);
  if (!root?.spec.issuingCA || contextName === undefined) return "kept";
  const here = endpoint(address, options.port);
  const acceptedCAs = root.spec.acceptedCAs.map(({ crt }) => crt);
  const now = options.clock.now();
  const held = await readHeld(path, log);
  const context = held.contexts[contextName];
  if (context && (await works(context, { here, acceptedCAs, now }))) return "kept";
  const issuing = issueTalosconfig({
    authority: root.spec.issuingCA,
    acceptedCAs,
    contextName,
    roles: ["os:admin"],
    endpoints: [here],
    nodes: [address],
    now,
    issueLeaf,
  });
  const issued = await issuing.catch((error: unknown) => {
    if (!(error instanceof CodedError)) throw error;
    log.error({ path, reason: error.message }, "the administrator's talosconfig cannot be issued");
    return undefined;
  });
  if (issued === undefined) return "kept";
  const contexts = { ...held.contexts, ...issued.contexts };
  await replaceFile(path, writeTalosconfig({ context: contextName, contexts }));
  return "written";
}

/** The context that is this node's to write; undefined where it cannot issue one. */
export async function ownContext(store: Store): Promise<string | undefined> {
  const root = await store.get(OSRoot, "os");
  const config = await store.get(MachineConfig, ACTIVE);
  return root?.spec.issuingCA && config ? clusterNameOf(config.spec.yaml) : undefined;
}

/** Takes a context out of a talosconfig, and the file away with the last one; a file that is none stays. */
export async function dropContext(path: string, contextName: string): Promise<void> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return;
  let held: Talosconfig;
  try {
    held = readTalosconfig(text, path);
  } catch (error) {
    if (error instanceof CodedError) return;
    throw error;
  }
  const contexts = Object.fromEntries(
    Object.entries(held.contexts).filter(([name]) => name !== contextName),
  );
  const [first] = Object.keys(contexts);
  if (first === undefined) return rm(path);
  const context = held.context === contextName ? first : held.context;
  await replaceFile(path, writeTalosconfig({ context, contexts }));
}

/** Undefined for a stored configuration that cannot be read any more. */
function clusterNameOf(yaml: string): string | undefined {
  try {
    return loadMachineConfig(yaml).clusterName;
  } catch (error) {
    if (error instanceof CodedError) return undefined;
    throw error;
  }
}

/** What is in the file; one that is no talosconfig is put aside, for it may hold what nobody else has. */
async function readHeld(path: string, log: Logger): Promise<Talosconfig> {
  const text = await readFile(path, "utf8").catch(() => "");
  try {
    return readTalosconfig(text, path);
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    const aside = await freeName(`${path}.damaged`);
    await rename(path, aside);
    log.warn({ aside, reason: error.message }, "a talosconfig that cannot be read was put aside");
    return { context: "", contexts: {} };
  }
}

/** The name itself, or with the first number that is free. */
async function freeName(name: string): Promise<string> {
  for (let n = 1; ; n++) {
    const tried = n === 1 ? name : `${name}-${String(n)}`;
    const isTaken = await access(tried).then(
      () => true,
      () => false,
    );
    if (!isTaken) return tried;
  }
}

async function works(
  { endpoints, ca = "", crt = "", key = "" }: TalosContext,
  wanted: { readonly here: string; readonly acceptedCAs: readonly string[]; readonly now: Instant },
): Promise<boolean> {
  const { here, acceptedCAs, now } = wanted;
  if (!endpoints.includes(here) || key === "") return false;
  try {
    const anchors = acceptedCAs.map((pem) => readCertificate(pem));
    const trusted = new Set(readCertificates(ca).map(({ fingerprint }) => fingerprint));
    if (!anchors.every(({ fingerprint }) => trusted.has(fingerprint))) return false;
    const leaf = readCertificate(crt);
    return (await verifyChain({ leaf, anchors, now, usage: "clientAuth" })).valid;
  } catch (error) {
    if (error instanceof CodedError) return false;
    throw error;
  }
}

/** Puts a file in place, for its owner alone, whole or not at all. */
async function replaceFile(path: string, contents: string): Promise<void> {
  const temporary = `${path}.new`;
  const file = await open(temporary, "w", 0o600);
  try {
    await file.chmod(0o600);
    await file.writeFile(contents);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}
