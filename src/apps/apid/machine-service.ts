/** `machine.MachineService`: what of it this node can do (talosctl-wire.md §2, §3.4). */
import { CodedError, milliseconds, seconds, UnsupportedError } from "#runtime";
import {
  InvalidRequestError,
  runtimeStatuses,
  unary,
  type Call,
  type CallOptions,
} from "#runtime/rpc";
import { status } from "@grpc/grpc-js";
import type { Metadata } from "../rpc/gen/common/common.ts";
import type { Duration } from "../rpc/gen/google/protobuf/duration.ts";
import {
  ApplyConfiguration,
  ApplyConfigurationRequest_Mode as Mode,
  GenerateClientConfiguration,
  Version,
  type ApplyConfigurationRequest,
  type MachineServiceServer,
} from "../rpc/gen/machine/machine.ts";
import { ApplyInProgressError, ForwardingError } from "./errors.ts";
import type { Target } from "./routing.ts";
import { versionOf, type Build } from "./version.ts";

/** What the service asks of its node. */
export interface MachinePorts {
  readonly build: Build;
  /** Fails with a coded error that says what is wrong with the configuration. */
  readonly applyConfiguration: (request: {
    readonly data: string;
    readonly dryRun: boolean;
  }) => Promise<{ readonly warnings: readonly string[]; readonly modeDetails: string }>;
  /**
   * Issues a client certificate with these roles, and a talosconfig around it.
   *
   * @param request `lifetime` in milliseconds
   * @throws {ControlPlaneOnlyError} on a machine without the authority's key
   */
  readonly issueClientConfiguration: (request: {
    readonly roles: readonly string[];
    readonly lifetime: number;
  }) => Promise<{
    readonly ca: string;
    readonly crt: string;
    readonly key: string;
    readonly talosconfig: string;
  }>;
}

export interface MachineServiceOptions extends CallOptions {
  readonly ports: MachinePorts;
  readonly targetsOf: (call: Call) => readonly Target[];
}

const nothing = new Uint8Array();

type Implemented = Pick<
  MachineServiceServer,
  "version" | "applyConfiguration" | "generateClientConfiguration"
>;

/** Makes the handlers; the methods that are left out answer UNIMPLEMENTED. */
export function machineService(options: MachineServiceOptions): Implemented {
  const { ports, targetsOf } = options;
  const apply = oneAtATime(ports);
  return {
    version: unary((_request, call) => {
      return {
        messages: forEachTarget(targetsOf(call), versionOf(ports.build), Version.decode(nothing)),
      };
    }, options),
    applyConfiguration: unary(async (request, call) => {
      const targets = targetsOf(call); // before anything is done
      return {
        messages: forEachTarget(targets, await apply(request), ApplyConfiguration.decode(nothing)),
      };
    }, options),
    generateClientConfiguration: unary(async ({ roles, crtTtl }, call) => {
      const targets = targetsOf(call);
      const lifetime = crtTtl === undefined ? 0 : durationOf(crtTtl);
      if (lifetime <= 0) throw new InvalidRequestError("crt_ttl should be positive");
      const { ca, crt, key, talosconfig } = await ports.issueClientConfiguration({
        roles,
        lifetime,
      });
      const message = {
        metadata: undefined,
        ca: Buffer.from(ca),
        crt: Buffer.from(crt),
        key: Buffer.from(key),
        talosconfig: Buffer.from(talosconfig),
      };
      return {
        messages: forEachTarget(targets, message, GenerateClientConfiguration.decode(nothing)),
      };
    }, options),
  };
}

const durationOf = ({ seconds: whole, nanos }: Duration): number =>
  seconds(Number(whole)) + milliseconds(nanos / 1e6);

const MODES: ReadonlySet<Mode> = new Set([Mode.AUTO, Mode.NO_REBOOT]);
const otherModes: Readonly<Partial<Record<Mode, string>>> = {
  [Mode.REBOOT]: "reboot",
  [Mode.STAGED]: "staged",
  [Mode.TRY]: "try",
};

/** Two configurations at once would leave it open which of them is in force; a dry run waits for none. */
function oneAtATime(ports: MachinePorts) {
  let busy = false;
  return async ({ data, mode, dryRun }: ApplyConfigurationRequest): Promise<ApplyConfiguration> => {
    if (!MODES.has(mode)) {
      const name = otherModes[mode] ?? String(mode);
      throw new UnsupportedError(
        `applying a configuration in the mode ${name} is not implemented: use auto or no-reboot`,
      );
    }
    if (busy && !dryRun) throw new ApplyInProgressError();
    busy ||= !dryRun;
    try {
      const text = readText(data);
      const { warnings, modeDetails } = await ports.applyConfiguration({ data: text, dryRun });
      return { metadata: undefined, warnings: [...warnings], mode: Mode.NO_REBOOT, modeDetails };
    } catch (error) {
      throw blamed(error);
    } finally {
      if (!dryRun) busy = false;
    }
  };
}

function readText(data: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(data);
  } catch (cause) {
    throw new InvalidRequestError("the configuration is not UTF-8 text", { cause });
  }
}

/** What is wrong with a configuration is the caller's to mend; other failures keep their status. */
function blamed(error: unknown): unknown {
  return error instanceof CodedError && !(error.code in runtimeStatuses)
    ? new InvalidRequestError(error.message, { cause: error })
    : error;
}

/**
 * One message, or one for each node that the request named; a message for another node says that
 * nothing was done there.
 */
export function forEachTarget<Message extends { metadata?: Metadata | undefined }>(
  targets: readonly Target[],
  message: Message,
  empty: Message,
): Message[] {
  if (targets.length === 0) return [message];
  return targets.map(({ hostname, isLocal }) =>
    isLocal
      ? { ...message, metadata: { hostname, error: "", status: undefined } }
      : { ...empty, metadata: notForwarded(hostname) },
  );
}

function notForwarded(hostname: string): Metadata {
  const { message } = new ForwardingError();
  const embedded = { code: status.PERMISSION_DENIED, message, details: [] };
  return { hostname, error: message, status: embedded };
}
