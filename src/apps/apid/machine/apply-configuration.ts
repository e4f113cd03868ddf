/** `MachineService/ApplyConfiguration` (talosctl-wire.md §2.4). */
import { CodedError, hours, minutes, UnsupportedError } from "#runtime";
import { InvalidRequestError, runtimeStatuses } from "#runtime/rpc";
import {
  ApplyConfiguration,
  ApplyConfigurationRequest_Mode as Mode,
  type ApplyConfigurationRequest,
  type MachineServiceServer,
} from "../../rpc/gen/machine/machine.ts";
import { ApplyInProgressError } from "../errors.ts";
import type { Body, Router } from "../router.ts";
import { durationOf } from "./client-configuration.ts";

/** When a configuration is in force: at once, from the next start on, or at once and for a while. */
export type ApplyMode = "no-reboot" | "staged" | "try";

/**
 * Fails with a coded error that says what is wrong with the configuration.
 *
 * @param request `tryTimeout` in milliseconds, how long a configuration is tried
 */
export type Apply = (request: {
  readonly data: string;
  readonly dryRun: boolean;
  readonly mode: ApplyMode;
  readonly tryTimeout: number;
}) => Promise<{ readonly warnings: readonly string[]; readonly modeDetails: string }>;

export const applyConfigurationMethods = (
  router: Router,
  apply: Apply,
): Pick<MachineServiceServer, "applyConfiguration"> => ({
  applyConfiguration: router.unary(ApplyConfiguration, oneAtATime(apply)),
});

/** What a mode comes to, and what the reply calls it. */
const modes: Readonly<Partial<Record<Mode, readonly [ApplyMode, Mode]>>> = {
  [Mode.AUTO]: ["no-reboot", Mode.NO_REBOOT],
  [Mode.NO_REBOOT]: ["no-reboot", Mode.NO_REBOOT],
  [Mode.STAGED]: ["staged", Mode.STAGED],
  [Mode.TRY]: ["try", Mode.TRY],
};

/** As Talos has it where a request does not say. */
const TRY_TIMEOUT = minutes(1);
/** Who wants a configuration for longer does not try it. */
const TRY_TIMEOUT_MAX = hours(24);
/** Many times the largest configuration that there is; also a text that is refused takes time to read. */
const DATA_BYTES_MAX = 4 * 1024 * 1024;

/**
 * Two configurations at once would leave it open which of them is in force, and many dry runs would
 * leave no time for anything else; neither waits for the other.
 */
function oneAtATime(apply: Apply) {
  const busy = new Set<string>();
  return async (request: ApplyConfigurationRequest): Promise<Body<ApplyConfiguration>> => {
    const { data, dryRun, tryModeTimeout } = request;
    const [mode, replied] = modeOf(request.mode);
    const tryTimeout = tryModeTimeout === undefined ? TRY_TIMEOUT : durationOf(tryModeTimeout);
    if (mode === "try" && tryTimeout <= 0)
      throw new InvalidRequestError("try_mode_timeout should be positive");
    if (mode === "try" && tryTimeout > TRY_TIMEOUT_MAX)
      throw new InvalidRequestError("try_mode_timeout should be at most 24 hours");
    const doing = dryRun ? "looked at by a dry run" : "applied";
    if (busy.has(doing)) throw new ApplyInProgressError(doing);
    busy.add(doing);
    try {
      const { warnings, modeDetails } = await apply({
        data: readText(data),
        ...{ dryRun, mode, tryTimeout },
      });
      return { warnings: [...warnings], mode: replied, modeDetails };
    } catch (error) {
      throw blamed(error);
    } finally {
      busy.delete(doing);
    }
  };
}

/** @throws {UnsupportedError} for the mode reboot, which Talos has in maintenance only, and unknown ones */
function modeOf(mode: Mode): readonly [ApplyMode, Mode] {
  const known = modes[mode];
  if (known !== undefined) return known;
  const name = mode === Mode.REBOOT ? "reboot" : String(mode);
  throw new UnsupportedError(
    `applying a configuration in the mode ${name} is not implemented: use auto, no-reboot, staged or try`,
  );
}

function readText(data: Uint8Array): string {
  if (data.length > DATA_BYTES_MAX)
    throw new InvalidRequestError("the configuration is larger than 4 MiB");
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
