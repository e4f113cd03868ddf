/** `MachineService/Reboot` and `Shutdown` (talosctl-wire.md §2.8). */
import { Reboot, Shutdown, type MachineServiceServer } from "../../rpc/gen/machine/machine.ts";
import type { Router } from "../router.ts";

/** How a run of a node ends. */
export type EndingName = "reboot" | "shutdown" | "reset";

/**
 * Has the node end its run, once the caller has had the answer.
 *
 * @returns the id that the events of it carry
 * @throws {EndingInProgressError}
 */
export type EndRun = (ending: Exclude<EndingName, "reset">) => string;

/** There is no machine below the node: however it is asked to reboot, it starts itself anew. */
export const lifecycleMethods = (
  router: Router,
  end: EndRun,
): Pick<MachineServiceServer, "reboot" | "shutdown"> => ({
  reboot: router.unary(Reboot, () => ({ actorId: end("reboot") })),
  shutdown: router.unary(Shutdown, () => ({ actorId: end("shutdown") })),
});
