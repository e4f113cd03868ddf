/** `MachineService/ApplyConfiguration` (talosctl-wire.md §2.4). */
import { CodedError, UnsupportedError } from "#runtime";
import { InvalidRequestError, runtimeStatuses } from "#runtime/rpc";
import {
  ApplyConfiguration,
  ApplyConfigurationRequest_Mode as Mode,
  type ApplyConfigurationRequest,
  type MachineServiceServer,
} from "../../rpc/gen/machine/machine.ts";
import { ApplyInProgressError } from "../errors.ts";
import type { Body, Router } from "../router.ts";

/** Fails with a coded error that says what is wrong with the configuration. */
export type Apply = (request: {
  readonly data: string;
  readonly dryRun: boolean;
}) => Promise<{ readonly warnings: readonly string[]; readonly modeDetails: string }>;

export const applyConfigurationMethods = (
  router: Router,
  apply: Apply,
): Pick<MachineServiceServer, "applyConfiguration"> => ({
  applyConfiguration: router.unary(ApplyConfiguration, oneAtATime(apply)),
});

const MODES: ReadonlySet<Mode> = new Set([Mode.AUTO, Mode.NO_REBOOT]);
const otherModes: Readonly<Partial<Record<Mode, string>>> = {
  [Mode.REBOOT]: "reboot",
  [Mode.STAGED]: "staged",
  [Mode.TRY]: "try",
};

/** Two configurations at once would leave it open which of them is in force; a dry run waits for none. */
function oneAtATime(apply: Apply) {
  let busy = false;
  return async ({
    data,
    mode,
    dryRun,
  }: ApplyConfigurationRequest): Promise<Body<ApplyConfiguration>> => {
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
      const { warnings, modeDetails } = await apply({ data: text, dryRun });
      return { warnings: [...warnings], mode: Mode.NO_REBOOT, modeDetails };
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
