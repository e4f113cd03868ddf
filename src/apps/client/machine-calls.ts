/** What only nodes can do, over `machine.MachineService` and `inspect.InspectService`. */
import {
  ApplyConfigurationRequest_Mode as Mode,
  type ApplyConfigurationResponse,
  type GenerateClientConfigurationResponse,
  type VersionInfo,
  type VersionResponse,
} from "../rpc/gen/machine/machine.ts";
import {
  DependencyEdgeType,
  type ControllerRuntimeDependenciesResponse,
} from "../rpc/gen/inspect/inspect.ts";
import { minutes } from "#runtime";
import type { Client } from "./client.ts";
import { callMetadata, reply } from "./connection.ts";
import type { Endpoints } from "./failover.ts";
import { ReplyError } from "./resource.ts";

/** What a node says of its build. */
export type NodeVersion = VersionInfo & {
  /** Empty when it does not say. */
  readonly platform: string;
  readonly rbac: boolean;
};

/** A client's identity, and the talosconfig with the same in it. */
export type ClientConfiguration = Readonly<Record<"ca" | "crt" | "key" | "talosconfig", string>>;

/** How a controller has to do with a kind, or with one resource of it. */
export interface Dependency {
  readonly controller: string;
  readonly edge: DependencyEdge;
  /** Empty for an output. */
  readonly namespace: string;
  readonly type: string;
  /** Empty for a whole kind. */
  readonly id: string;
}

/** As Talos tells them. */
export type DependencyEdge =
  "output-exclusive" | "output-shared" | "input-strong" | "input-weak" | "input-destroy-ready";

const dependencyEdges: Readonly<Partial<Record<DependencyEdgeType, DependencyEdge>>> = {
  [DependencyEdgeType.OUTPUT_EXCLUSIVE]: "output-exclusive",
  [DependencyEdgeType.OUTPUT_SHARED]: "output-shared",
  [DependencyEdgeType.INPUT_STRONG]: "input-strong",
  [DependencyEdgeType.INPUT_WEAK]: "input-weak",
  [DependencyEdgeType.INPUT_DESTROY_READY]: "input-destroy-ready",
};

/** When a node takes a configuration up: as it sees fit, at once, at its next start, or for a while. */
export type ApplyMode = "auto" | "no-reboot" | "staged" | "try";

const applyModes: Readonly<Record<ApplyMode, Mode>> = {
  auto: Mode.AUTO,
  "no-reboot": Mode.NO_REBOOT,
  staged: Mode.STAGED,
  try: Mode.TRY,
};

/** Of milliseconds. */
const durationOf = (ms: number) => ({
  seconds: BigInt(Math.trunc(ms / 1000)),
  nanos: Math.round((ms % 1000) * 1e6),
});

type MachineCalls = Pick<
  Client,
  "version" | "applyConfiguration" | "issueClientConfiguration" | "dependencies"
>;

/** Makes the calls. */
export function machineCalls(endpoints: Endpoints): MachineCalls {
  return {
    version: ({ node } = {}) =>
      endpoints.ask(node, async ({ machine }) => {
        const { version, platform, features } = only(
          await reply<VersionResponse>((done) => machine.version({}, callMetadata(node), done)),
        );
        if (version === undefined) throw new ReplyError("version is missing");
        return { ...version, platform: platform?.name ?? "", rbac: features?.rbac ?? false };
      }),
    applyConfiguration: (
      { data, mode = "auto", dryRun = false, tryTimeout = minutes(1) },
      { node } = {},
    ) =>
      endpoints.ask(node, async ({ machine }) => {
        const request = {
          data: Buffer.from(data),
          mode: applyModes[mode],
          dryRun,
          tryModeTimeout: durationOf(tryTimeout),
        };
        const { warnings, modeDetails } = only(
          await reply<ApplyConfigurationResponse>((done) =>
            machine.applyConfiguration(request, callMetadata(node), done),
          ),
        );
        return { warnings, modeDetails };
      }),
    dependencies: ({ node } = {}) =>
      endpoints.ask(node, async ({ inspect }) => {
        const { edges } = only(
          await reply<ControllerRuntimeDependenciesResponse>((done) =>
            inspect.controllerRuntimeDependencies({}, callMetadata(node), done),
          ),
        );
        return edges.flatMap(({ edgeType, ...at }): Dependency[] => {
          const edge = dependencyEdges[edgeType];
          const { controllerName: controller, resourceNamespace: namespace } = at;
          const place = { namespace, type: at.resourceType, id: at.resourceId };
          return edge === undefined ? [] : [{ controller, edge, ...place }];
        });
      }),
    issueClientConfiguration: ({ roles, lifetime }, { node } = {}) =>
      endpoints.ask(node, async ({ machine }) => {
        const request = { roles: [...roles], crtTtl: durationOf(lifetime) };
        const { ca, crt, key, talosconfig } = only(
          await reply<GenerateClientConfigurationResponse>((done) =>
            machine.generateClientConfiguration(request, callMetadata(node), done),
          ),
        );
        return {
          ca: ca.toString(),
          crt: crt.toString(),
          key: key.toString(),
          talosconfig: talosconfig.toString(),
        };
      }),
  };
}

/** @throws {ReplyError} unless one node answered */
export function only<Message>({ messages }: { readonly messages: readonly Message[] }): Message {
  const [message] = messages;
  if (message === undefined || messages.length > 1)
    throw new ReplyError(`one message was expected in the reply, and it has ${messages.length}`);
  return message;
}
