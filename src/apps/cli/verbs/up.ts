/** Hands the node what it needs of the command line, and its signals. */
import { join, resolve } from "node:path";
import { UsageError } from "../errors.ts";
import { exists } from "../files.ts";
import type { Io } from "../io.ts";

/** The flags of `up`. */
export interface UpOptions {
  readonly config?: readonly string[];
  readonly configOverwrite: boolean;
  /** Warnings about a configuration that is to be applied are errors. */
  readonly strict: boolean;
  readonly stateDir: string;
  readonly pkiDir?: string;
  /** A node without a configuration waits for one. */
  readonly maintenance: boolean;
  readonly maintenanceAddress?: string;
  readonly adopt: boolean;
  readonly apiAddress: string;
  readonly apiPort: number;
  readonly trustdPort?: number;
  /** Addresses are certified for who asks from them. */
  readonly strictJoin: boolean;
  /** Nodes may join by it. */
  readonly machineToken: boolean;
  readonly hostname?: string;
  /** Addresses of the cluster's control planes. */
  readonly member?: readonly string[];
  readonly timeSource?: "auto" | "none";
}

/**
 * Runs the node until it is told to stop.
 *
 * @throws {UsageError} {@link ConfigInvalidError} with `--strict`: before anything is written
 */
export async function up(io: Io, options: UpOptions): Promise<number> {
  // The signals are taken before the node is loaded: a Ctrl-C in the first moments ends it in order.
  const signal = io.interruption();
  await checkOptions(options);
  const { runNode } = await import("../../node/index.ts");
  const { config = [], member = [], stateDir, pkiDir, strict, ...rest } = options;
  if (strict) await checkStrictly(io, options);
  return runNode(
    {
      ...rest,
      members: member,
      configFiles: config.map((file) => resolve(io.cwd, file)),
      stateDir: resolve(io.cwd, stateDir),
      ...(pkiDir !== undefined && { pkiDir: resolve(io.cwd, pkiDir) }),
    },
    {
      stdout: (text) => void io.stdout.write(text),
      stderr: (text) => void io.stderr.write(text),
      stderrIsTerminal: io.stderr.isTTY ?? false,
      signal,
    },
  );
}

async function checkOptions(options: UpOptions): Promise<void> {
  const { hostname, config = [], configOverwrite, maintenance, maintenanceAddress } = options;
  if (maintenance && config.length > 0)
    throw new UsageError("--maintenance waits for a configuration, and --config is one: choose");
  if (maintenanceAddress !== undefined && !maintenance)
    throw new UsageError("--maintenance-address needs --maintenance");
  if (configOverwrite && config.length === 0)
    throw new UsageError("--config-overwrite needs --config: the configuration to apply");
  if (hostname === undefined) return;
  const { hostnameProblem } = await import("#config");
  const problem = hostnameProblem(hostname);
  if (problem !== undefined)
    throw new UsageError(`--hostname ${JSON.stringify(hostname)} is no hostname: ${problem}`);
}

/** The node makes the same checks; what it would warn of is refused here. */
async function checkStrictly(io: Io, options: UpOptions): Promise<void> {
  const { config = [], configOverwrite, stateDir } = options;
  // What is stored stays in force whatever the file holds, and is never refused.
  if (config.length === 0 || (!configOverwrite && (await exists(io, join(stateDir, "state.db")))))
    return;
  const { readConfigFiles } = await import("../../node/configuration.ts");
  const { checkMachineConfig } = await import("#config");
  const { webCryptoKeys } = await import("#pki");
  const read = await readConfigFiles(config.map((file) => resolve(io.cwd, file)));
  const now = io.clock.now();
  await checkMachineConfig(read, { mode: "container", strict: true, now, keys: webCryptoKeys() });
}
