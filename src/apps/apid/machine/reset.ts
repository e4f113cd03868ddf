/** `MachineService/Reset`: a node leaves, and what it is goes with it (talosctl-wire.md §2.8). */
import {
  Reset,
  ResetRequest_WipeMode as WipeMode,
  type MachineServiceServer,
  type ResetRequest,
} from "../../rpc/gen/machine/machine.ts";
import { ResetRefusedError } from "../errors.ts";
import type { Router } from "../router.ts";

/** How a node is reset. */
export interface Resetting {
  /** The cluster is told before; where it cannot be told, nothing is done. */
  readonly graceful: boolean;
  /** The node begins anew, without anything; otherwise it ends. */
  readonly reboot: boolean;
}

/**
 * Has the node leave its cluster and end its run; after that it wipes itself.
 *
 * @returns the id that the events of it carry
 * @throws {EndingInProgressError} {@link LastControlPlaneError} {@link LeaveFailedError}; then nothing
 * was done
 */
export type ResetNode = (how: Resetting) => Promise<string>;

/** Serves it. */
export const resetMethods = (
  router: Router,
  reset: ResetNode,
): Pick<MachineServiceServer, "reset"> => ({
  reset: router.unary(Reset, async (request: ResetRequest) => {
    refuseDisks(request);
    const { graceful, reboot } = request;
    return { actorId: await reset({ graceful, reboot }) };
  }),
});

/** Where Talos keeps what a node of ours has; the others are empty here. */
const HELD = "STATE";
const EMPTY = new Set(["EPHEMERAL", "META"]);

/** There is no disk below the node: all goes, or nothing. */
function refuseDisks({ mode, systemPartitionsToWipe, userDisksToWipe }: ResetRequest): void {
  if (mode === WipeMode.USER_DISKS || userDisksToWipe.length > 0)
    throw new ResetRefusedError("this node has no user disks that could be wiped");
  if (mode !== WipeMode.ALL && mode !== WipeMode.SYSTEM_DISK)
    throw new ResetRefusedError(`there is no wipe mode ${String(mode)}`);
  if (systemPartitionsToWipe.length === 0) return;
  const labels = systemPartitionsToWipe.filter(({ wipe }) => wipe).map(({ label }) => label);
  const unknown = labels.filter((label) => label !== HELD && !EMPTY.has(label));
  if (unknown.length > 0)
    throw new ResetRefusedError(`this node has no partition ${unknown.join(", ")}`);
  if (!labels.includes(HELD))
    throw new ResetRefusedError(
      `all that this node has is what Talos keeps in the partition ${HELD}, which the request does not name`,
    );
}
