/**
 * The daemon: opens the state directory, settles the configuration, runs the controllers until every
 * certificate whose inputs are ready is issued, then serves apid and says what it holds.
 */
import { join, resolve } from "node:path";
import { leafIssuer, webCryptoKeys } from "#pki";
import { directories } from "#controllers";
import {
  CodedError,
  ControllerStatus,
  type Logger,
  ringAfter,
  seconds,
  systemClock,
  systemRandom,
} from "#runtime";
import { createEngine, type Engine } from "#runtime/engine";
import { MachineType } from "#resources";
import type { Store } from "#runtime/store";
import { keepAdminTalosconfig } from "./admin-talosconfig.ts";
import { type Apid, checkListen } from "../apid/index.ts";
import { auditDirectory, type AuditLog, openAuditLog } from "../audit/index.ts";
import { type OpenSigner, openSigner } from "../trustd/open-signer.ts";
import { serveApi } from "./api.ts";
import { type Boot, newBoot } from "./boot.ts";
import { accept, type Surroundings } from "./acceptance.ts";
import { holdsConfig, readConfigFiles, settleConfiguration } from "./configuration.ts";
import { nodeControllers } from "./controllers.ts";
import { announceEnd, endOf, type Ending } from "./ending.ts";
import { type Joining, openJoining, TRUSTD_PORT } from "./joining.ts";
import { holdProcess, unlessStopped } from "./lifetime.ts";
import { nodeLogger } from "./log.ts";
import { awaitConfiguration } from "./maintenance.ts";
import { nextOf } from "./next-start.ts";
import type { NodeIo, NodeOptions } from "./options.ts";
import { foreseenAddress, reachableAddress } from "./own-names.ts";
import { type Damage, damageIn } from "./damage.ts";
import { clusterStore, type ClusterStore } from "./cluster-store.ts";
import { followPolicy, type FollowedPolicy } from "./policy.ts";
import { filePublisher, publisherOf } from "./published-files.ts";
import { finishReset, openMarker } from "./finish-reset.ts";
import { markedReset } from "./reset-marker.ts";
import type { Marker } from "./reset.ts";
import { restartableEngine } from "./restartable.ts";
import { keepServiceResources } from "./service-resources.ts";
import { holdsState, openStateDirectory } from "./state-directory.ts";
import { statusTable } from "./status-table.ts";
import { askMachine, askNobody } from "./time-source.ts";
import { keepTrustd } from "./trustd.ts";
import { type Remains, wipe } from "./wipe.ts";

export type { NodeIo, NodeOptions } from "./options.ts";

/** The files cannot be published, so the servers that read them would not find them. */
export class FilesUnpublishedError extends CodedError {
  readonly code = "ERR_FILES_UNPUBLISHED";
}

/**
 * Runs a node until `io.signal` is aborted or somebody ends it; a reboot begins it anew.
 *
 * @returns the exit status: 0
 * @throws {CodedError} when it cannot start; what was there before is as it was. {@link WipeError} when
 * it was reset, and something of it is still there
 */
export async function runNode(options: NodeOptions, io: NodeIo): Promise<number> {
  const letGo = holdProcess();
  try {
    for (let next: NodeOptions | undefined = options; next !== undefined;)
      next = nextOf(await run(next, io), next);
  } finally {
    letGo();
  }
  return 0;
}

/** One run, from start to end. */
async function run(options: NodeOptions, io: NodeIo): Promise<Ending> {
  const { signal } = io;
  const boot = newBoot(world);
  const log = nodeLogger(io, process.env.TRUSTPLANE_LOG_LEVEL, boot.logs.write);
  const stopping = () => {
    log.info({}, "stopping");
  };
  signal.addEventListener("abort", stopping, { once: true });
  try {
    await finishReset(options.stateDir, { ...world, log });
    const { remains, ...ending } = await live(options, io, { boot, log });
    // A signal can come first; whoever asked for the reset may have been answered all the same.
    if (ending.name !== "reset" && !(await markedReset(options.stateDir))) return ending;
    await wipe(remains);
    log.info({ actorId: ending.actorId }, "the node is wiped");
    return ending;
  } catch (error) {
    // Told to stop while it was starting, which is not a failure.
    if (!signal.aborted || error !== signal.reason) throw error;
    return { name: "shutdown", actorId: "" };
  } finally {
    signal.removeEventListener("abort", stopping);
  }
}

const world = { clock: systemClock, random: systemRandom, keys: webCryptoKeys() };

interface Run {
  readonly boot: Boot;
  readonly log: Logger;
}

/**
 * @returns how it ended, and what is left of it
 * @throws {CodedError} when it cannot start; the reason of the signal when that comes before
 */
async function live(
  options: NodeOptions,
  io: NodeIo,
  { boot, log }: Run,
): Promise<Ending & { readonly remains: Remains }> {
  const { signal } = io;
  log.info({ bootId: boot.bootId }, "starting");
  await unlessStopped(signal, checkStart(options, world));
  const publishedBy = () =>
    publisherOf(Object.keys(directories).map((name) => join(pkiDirOf(options), name)));
  const { adopt } = options;
  const opened = await openStateDirectory(options.stateDir, { ...world, adopt, publishedBy });
  await using store = opened.store;
  const { nodeId } = opened;
  const damaged = damageIn(store.damagedRows());
  for (const { pointer, problem, remedy } of damaged)
    log.error({ ...pointer, problem, remedy }, "a stored resource cannot be read");
  using followed = await followPolicy({ store, log });
  const surroundings = { ...world, store, policy: followed.inForce };
  const isBlank = options.maintenance === true && !(await holdsConfig(store));
  const settling = isBlank ? nothingYet : settle(options, surroundings);
  const { warnings, demo } = await unlessStopped(signal, settling);
  for (const warning of warnings) io.stderr(`WARNING: ${warning}\n`);
  const directory = auditDirectory(options.stateDir);
  await using audit = await openAuditLog({ directory, clock: world.clock, log });
  const joining = joiningOf(options, log);
  const making = { demo, nodeId, damaged, joining, log };
  await using engine = restartableEngine(() => engineOf(options, surroundings, making), boot);
  const { sequence } = boot;
  await sequence.task("controllers", "startControllers", async () => {
    await unlessStopped(signal, engine.start());
    if (isBlank) await maintain(options, io, { ...surroundings, boot, log, audit });
    // Whom a worker asks may be silent for long.
    await unlessStopped(signal, Promise.race([engine.settled(), joining.asked]));
  });
  await checkFiles(store);
  await using _following = followState({ boot, store, log });
  const { apiAddress, members: controlPlanes = [] } = options;
  const cluster = clusterStore({ store, controlPlanes, apiAddress });
  await using signer = await openSigner({
    ...{ ...surroundings, cluster, log, strictJoin: options.strictJoin === true },
    record: (entry) => audit.record(entry),
    apiPort: () => apiPort,
  });
  let { apiPort } = options;
  await using _trustd = serveTrustd(options, { store, signer, boot, log });
  const { stateDir } = options;
  const { marker, remains } = openMarker({ stateDir, pkiDir: pkiDirOf(options), nodeId }, store);
  const own = { marker, cluster, signer, followed, boot, engine, log, audit, joining };
  const parts = { ...surroundings, ...own };
  await using api = await sequence.task("api", "startApid", () => serve(options, io, parts));
  apiPort = api.port;
  boot.services.set("machined", "Running", "The node has started");
  sequence.end();
  boot.machine.enter("RUNNING");
  const ending = await endOf(boot.endings, signal);
  log.info({ actorId: ending.actorId }, `${ending.name} begins`);
  await announceEnd(ending, boot, world.clock);
  return { ...ending, remains: await remains() };
}

/** Waits for a configuration. */
async function maintain(
  options: NodeOptions,
  io: NodeIo,
  run: Surroundings & Run & { readonly audit: AuditLog },
): Promise<void> {
  const { apiPort: port, maintenanceAddress: address = "127.0.0.1" } = options;
  run.boot.machine.enter("MAINTENANCE");
  await awaitConfiguration({ ...run, address, port, signal: io.signal, tell: io.stderr });
  run.boot.machine.enter("BOOTING");
}

/** Tells of the run in resources and events for as long as the store is open. */
function followState({ boot, store, log }: Run & { readonly store: Store }): AsyncDisposable {
  const stopFollowing = boot.machine.follow(store);
  const keeping = keepServiceResources(boot.services, store, log);
  return {
    [Symbol.asyncDispose]: async () => {
      stopFollowing();
      await keeping[Symbol.asyncDispose]();
    },
  };
}

const serveTrustd = (
  { apiAddress: address, trustdPort: port = TRUSTD_PORT }: NodeOptions,
  { boot, ...run }: Run & { readonly store: Store; readonly signer: OpenSigner },
): AsyncDisposable =>
  keepTrustd({ ...run, address, port, services: boot.services, clock: world.clock });

/** Serves apid, and tells where it is and what is held. */
async function serve(
  options: NodeOptions,
  io: NodeIo,
  surroundings: Surroundings &
    Run & {
      readonly engine: Engine;
      readonly audit: AuditLog;
      readonly followed: FollowedPolicy;
      readonly cluster: ClusterStore;
      readonly signer: OpenSigner;
      readonly marker: Marker;
      readonly joining: Joining;
    },
): Promise<Apid> {
  const { signal } = io;
  const { store, log, boot } = surroundings;
  const { apiAddress, apiPort: port } = options;
  const address = await reachableAddress(store, apiAddress);
  const tell = async () => {
    await unlessStopped(signal, settledSoon(surroundings));
    io.stdout(await unlessStopped(signal, statusTable(store, address)));
  };
  boot.services.set("apid", "Preparing", "Waiting for its certificate");
  log.info({ component: "apid" }, "apid starts");
  const serving = { ...surroundings, address: apiAddress, port, signal };
  const { problem, leaveOf } = surroundings.joining;
  const asking = { remind: io.stderr, problem, leave: leaveOf(store) };
  const api = await serveApi({ ...serving, ...asking, onWait: tell });
  try {
    const keeping = keepAdminTalosconfig({
      path: join(options.stateDir, "talosconfig"),
      address,
      port: api.port,
      issueLeaf: leafIssuer(surroundings),
      ...surroundings,
    });
    await unlessStopped(signal, keeping);
    await tell();
  } catch (error) {
    await api.close();
    throw error;
  }
  if (io.stderrIsTerminal) io.stderr(await whereabouts(options, store, address));
  return api;
}

/** What is told of is to be up to date, and not to be waited for as long as others can be silent. */
const settledSoon = ({
  engine,
  clock,
}: Pick<Surroundings, "clock"> & { readonly engine: Engine }) =>
  Promise.race([
    engine.settled(),
    new Promise<void>((resolve) => ringAfter(clock, SETTLED_WITHIN, resolve)),
  ]);

const SETTLED_WITHIN = seconds(1);

const nothingYet = Promise.resolve({ warnings: [], demo: false });

const settle = ({ configFiles, configOverwrite, apiAddress }: NodeOptions, world: Surroundings) =>
  settleConfiguration(configFiles, {
    ...world,
    overwrite: configOverwrite,
    demoAddress: foreseenAddress(apiAddress),
  });

const pkiDirOf = ({ pkiDir, stateDir }: NodeOptions): string => pkiDir ?? join(stateDir, "pki");

/** What would end a start is found before anything is written that a later start would go by. */
async function checkStart(options: NodeOptions, world: Omit<Surroundings, "store">): Promise<void> {
  const { apiAddress: address, apiPort: port, configFiles, stateDir } = options;
  await checkListen({ address, port });
  if (options.trustdPort !== undefined)
    await checkListen({ address, port: options.trustdPort, flag: "--trustd-port" });
  if (configFiles.length === 0 || (await holdsState(stateDir))) return;
  await accept(await readConfigFiles(configFiles), world);
}

const joiningOf = (
  { apiAddress: address, apiPort, trustdPort = TRUSTD_PORT }: NodeOptions,
  log: Logger,
): Joining => openJoining({ ...world, address, apiPort, trustdPort, log });

/** Where a person finds what the node has written, and how to ask it. */
async function whereabouts(options: NodeOptions, store: Store, address: string): Promise<string> {
  const { stateDir } = options;
  if ((await store.get(MachineType, "machine-type"))?.spec.type === "worker")
    return (
      `certificates and keys in ${pkiDirOf(options)}; ask by the talosconfig of a control plane: ` +
      `./bin/trustplane get certificatestatus -n ${address}\n`
    );
  const talosconfig = join(stateDir, "talosconfig");
  // Without a flag the command line looks into the directory that a node has by default.
  const flag = stateDir === resolve(".trustplane") ? "" : ` --talosconfig ${talosconfig}`;
  return (
    `talosconfig in ${talosconfig}, certificates and keys in ${pkiDirOf(options)}; ` +
    `try: ./bin/trustplane get certificatestatus${flag}\n`
  );
}

function engineOf(
  options: NodeOptions,
  { store, clock, random, keys, policy }: Surroundings,
  {
    demo,
    nodeId,
    damaged,
    joining,
    log,
  }: {
    readonly demo: boolean;
    readonly nodeId: string;
    readonly damaged: readonly Damage[];
    readonly joining: Joining;
    readonly log: Logger;
  },
): Engine {
  const quiet = demo || process.platform !== "linux";
  const timeSource = options.timeSource ?? (quiet ? "none" : "auto");
  const root = pkiDirOf(options);
  return createEngine({
    store,
    clock,
    random,
    log: log.child({ component: "controller-runtime" }),
    controllers: nodeControllers({
      keys,
      random,
      clock,
      ...(policy && { policy }),
      apiAddress: options.apiAddress,
      ...(options.hostname !== undefined && { hostname: options.hostname }),
      members: options.members ?? [],
      machineToken: options.machineToken !== false,
      damaged,
      askCertificate: joining.askCertificate,
      resolveHost: joining.resolveHost,
      askTime: timeSource === "auto" ? askMachine : askNobody,
      publishFiles: filePublisher({
        root,
        owner: nodeId,
        adopt: options.adopt,
        clock,
        random,
        log,
      }),
    }),
  });
}

/** What only the operator can mend; anything else is tried again, and told of meanwhile. */
const FATAL = new Set(["ERR_FILE_FOREIGN", "ERR_FILE_WRITE"]);

/** @throws {FilesUnpublishedError} naming the files that are in the way, or what cannot be written */
async function checkFiles(store: Store): Promise<void> {
  const errors = (await store.list(ControllerStatus)).map(({ spec }) => spec.error);
  const problems = errors.flatMap((error) =>
    error && FATAL.has(error.code) ? [error.message] : [],
  );
  if (problems.length > 0) throw new FilesUnpublishedError(problems.join("\n"));
}
