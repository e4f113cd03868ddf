/** Serves the API of this node, with the identity and the trust that its resources hold. */
import { contextNameOf, issueTalosconfig, loadMachineConfig, writeTalosconfig } from "#config";
import { type IssueLeaf, leafIssuer } from "#pki";
import { ACTIVE, ApiCertificates, MachineConfig, OSRoot, TimeStatus } from "#resources";
import { ringAfter, seconds } from "#runtime";
import type { Engine } from "#runtime/engine";
import {
  type Apid,
  ControlPlaneOnlyError,
  type ListenerMaterial,
  type NodePorts,
  startApid,
} from "../apid/index.ts";
import type { AuditLog } from "../audit/index.ts";
import type { Signer } from "../trustd/signer.ts";
import { issueAdminKubeconfig } from "./admin-kubeconfig.ts";
import type { Boot } from "./boot.ts";
import type { Surroundings } from "./acceptance.ts";
import { openDenials } from "./denials.ts";
import type { ClusterStore } from "./cluster-store.ts";
import type { FollowedPolicy } from "./policy.ts";
import { policyPort } from "./policy-port.ts";
import { firstServer, type FirstServerOptions, materialOf } from "./first-server.ts";
import { healthCheck } from "./health.ts";
import { tellingRefusals } from "./refusals.ts";
import { restartableApid } from "./restartable.ts";
import type { Joining } from "./joining.ts";
import { leafRenewal } from "./leaf-renewal.ts";
import { type Leave, type Marker, nodeReset } from "./reset.ts";
import { openMembers } from "./members.ts";
import { followNames } from "./own-names.ts";
import { follows, serving, type Serving } from "./serving.ts";
import { known } from "./state-directory.ts";
import { type Configurations, openConfigurations } from "./trial.ts";
import { build } from "./version.ts";
import { virtualTree } from "./virtual-tree.ts";

/** Clients that read slowly are served on from the log of the store: little has to wait for them. */
const WATCHES = { pendingBytesMax: 8 * 1024 * 1024, resumesFromLog: true };

/** How long an answer waits for the node to have taken up what it was given. */
const TAKE_UP_MAX = seconds(5);

interface ApiOptions extends Surroundings, FirstServerOptions {
  readonly boot: Boot;
  readonly engine: Engine;
  readonly address: string;
  readonly port: number;
  readonly audit: AuditLog;
  readonly followed: FollowedPolicy;
  readonly cluster: ClusterStore;
  readonly leave: Leave;
  readonly marker: Marker;
  readonly joining: Joining;
  /** Renews what members hold. */
  readonly signer: Pick<Signer, "renew">;
}

/**
 * Listens once there is a certificate to listen with, and swaps identity and trust on each change.
 *
 * @throws {ListenError} when the address or port cannot be had; the reason of the signal
 */
export async function serveApi(options: ApiOptions): Promise<Apid> {
  const { store, log, clock, boot } = options;
  const names = followNames(store);
  const denials = await openDenials(options);
  const current = serving();
  const configurations = openConfigurations(options);
  const members = openMembers({ ...options, apiPort: () => apid.port });
  const nodePorts = { ...ports(options, configurations, current), ...members.ports, denials };
  const start = (material: ListenerMaterial, port: number) =>
    startApid({
      watches: WATCHES,
      address: options.address,
      port,
      material,
      store,
      kinds: known,
      clock,
      log,
      ports: nodePorts,
      record: (entry) => options.audit.record(entry),
      names: () => names.now(),
      members: () => names.members(),
    });
  const first = await firstServer(options, current, (material) => start(material, options.port));
  const apid = restartableApid(first, start, { services: boot.services, clock, log });
  const rotation = store.watch(ApiCertificates, "api").subscribe((event) => {
    if (event.type !== "created" && event.type !== "updated") return;
    try {
      apid.rotate(materialOf(event.resource.spec));
      current.set(event.resource.spec);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log.error(
        { component: "apid", reason },
        "apid keeps its identity: the new one cannot be used",
      );
    }
  });
  denials.enforceAt(apid);
  const membership = options.joining.keepMembership(store, apid.port);
  const close = async () => {
    await membership[Symbol.asyncDispose]();
    rotation.unsubscribe();
    denials.close();
    names.close();
    await apid.close();
    members.close();
    configurations[Symbol.dispose](); // after the last call that may begin a trial
  };
  return { ...apid, close, [Symbol.asyncDispose]: close };
}

function ports(options: ApiOptions, configurations: Configurations, current: Serving): NodePorts {
  const { store, clock, boot } = options;
  const issueLeaf = leafIssuer(options);
  const { services, logs, events, endings } = boot;
  return {
    build,
    async applyConfiguration({ data, ...request }) {
      const { warnings, details } = await tellingRefusals(events, () =>
        configurations.apply(data, request),
      );
      const isInForce = !request.dryRun && request.mode !== "staged";
      const late = isInForce ? await takenUp(data, current, options) : [];
      return { warnings: [...warnings, ...late], modeDetails: details };
    },
    issueClientConfiguration: (request) => issueClient(request, issueLeaf, options),
    graph: () => options.engine.graph(),
    renewLeaves: leafRenewal(options),
    policy: policyPort(options),
    renewNode: (asker, request) => options.signer.renew(asker, request),
    time: { clock, source: async () => (await store.get(TimeStatus, "node"))?.spec.source ?? "" },
    health: healthCheck({ store, clock }),
    files: virtualTree({ store, boot }),
    kubeconfig: { clock, issue: () => issueAdminKubeconfig({ store, clock, issueLeaf }) },
    services,
    logs: logs.logs,
    events,
    endRun: endings.end,
    resetNode: nodeReset({ ...options, endings }),
  };
}

/** Waits until every controller has looked at the change and apid serves what came of it; else warns. */
async function takenUp(
  text: string,
  current: Serving,
  { engine, clock }: ApiOptions,
): Promise<string[]> {
  const root = loadMachineConfig(text, "the configuration").osRoot();
  const late = new AbortController();
  const cancel = ringAfter(clock, TAKE_UP_MAX, () => {
    late.abort();
  });
  const ended = new Promise<void>((resolve) => {
    late.signal.addEventListener("abort", () => {
      resolve();
    });
  });
  const serves = current.until((served) => follows(served, root), late.signal);
  await Promise.race([Promise.all([engine.settled(), serves]), ended]);
  cancel();
  if (!late.signal.aborted) return [];
  return ["the configuration is stored, but apid does not serve yet all that follows from it"];
}

async function issueClient(
  { roles, lifetime }: { readonly roles: readonly string[]; readonly lifetime: number },
  issueLeaf: IssueLeaf,
  { store, clock }: Surroundings,
) {
  const root = await store.get(OSRoot, "os");
  const config = await store.get(MachineConfig, ACTIVE);
  const authority = root?.spec.issuingCA;
  if (!authority || !config) throw new ControlPlaneOnlyError("GenerateClientConfiguration");
  const { clusterName } = loadMachineConfig(config.spec.yaml);
  const contextName = contextNameOf(clusterName, roles);
  const talosconfig = await issueTalosconfig({
    authority,
    contextName,
    roles,
    lifetime,
    now: clock.now(),
    issueLeaf,
  });
  const { crt = "", key = "" } = talosconfig.contexts[contextName] ?? {};
  return { ca: authority.crt, crt, key, talosconfig: writeTalosconfig(talosconfig) };
}
