/** Has a node leave its cluster before it wipes itself. */
import { Identity, MachineType, Member } from "#resources";
import type { Store } from "#runtime/store";
import { LastControlPlaneError, LeaveFailedError, type ResetNode } from "../apid/index.ts";
import type { Endings } from "./ending.ts";

/**
 * Tells the cluster that this node is a member of it no longer; one that is on no record tells nobody.
 *
 * @throws when the cluster cannot be told
 */
export type Leave = () => Promise<void>;

/** Resets the node of a store; a graceful reset that is refused leaves all as it was. */
export const nodeReset =
  ({
    store,
    endings,
    leave,
  }: {
    readonly store: Store;
    readonly endings: Endings;
    readonly leave: Leave;
  }): ResetNode =>
  async ({ graceful, reboot }) => {
    const announced = endings.announce("reset");
    try {
      if (graceful) await leaveGracefully(store, leave);
    } catch (error) {
      announced.callOff();
      throw error;
    }
    return announced.go({ beginsAnew: reboot });
  };

async function leaveGracefully(store: Store, leave: Leave): Promise<void> {
  if (await isLastControlPlane(store)) throw new LastControlPlaneError();
  try {
    await leave();
  } catch (error) {
    throw new LeaveFailedError(error);
  }
}

async function isLastControlPlane(store: Store): Promise<boolean> {
  if ((await store.get(MachineType, "machine-type"))?.spec.type !== "controlplane") return false;
  const own = (await store.get(Identity, "local"))?.spec.nodeId;
  const members = await store.list(Member);
  return !members.some(({ spec }) => spec.machineType === "controlplane" && spec.nodeId !== own);
}
