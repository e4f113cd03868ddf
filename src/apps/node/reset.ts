/** Has a node leave its cluster before it wipes itself. */
import { Identity, JoinToken, MachineType, Member, MemberRecord, OSRoot } from "#resources";
import type { Store } from "#runtime/store";
import {
  EndingInProgressError,
  LastControlPlaneError,
  LeaveFailedError,
  ResetRefusedError,
  type ResetNode,
} from "../apid/index.ts";
import type { Endings } from "./ending.ts";

/**
 * Tells the cluster that this node is a member of it no longer; one that is on no record tells nobody.
 *
 * @throws when the cluster cannot be told
 */
export type Leave = (signal: AbortSignal) => Promise<void>;

/** Keeps on the disk that the node is to be wiped. */
export interface Marker {
  readonly set: () => Promise<void>;
  readonly clear: () => Promise<void>;
}

interface ResetOptions {
  readonly store: Store;
  readonly endings: Endings;
  readonly leave: Leave;
  readonly marker: Marker;
  /** Ends the run of the node. */
  readonly signal: AbortSignal;
}

/**
 * Resets the node of a store; a graceful reset that is refused leaves all as it was. From before the
 * cluster is told, the node is marked: once it may have left, it is wiped, whatever ends its process.
 */
export const nodeReset =
  (options: ResetOptions): ResetNode =>
  async ({ graceful, reboot }) => {
    const { store, endings, marker } = options;
    const announced = endings.announce("reset");
    try {
      if (graceful && (await isLastControlPlane(store))) throw new LastControlPlaneError();
      await marker.set().catch(async (error: unknown) => {
        await marker.clear().catch(() => undefined);
        throw new ResetRefusedError(`the node cannot be marked for a reset: ${wordsOf(error)}`);
      });
      if (graceful) await leaveGracefully(options);
    } catch (error) {
      announced.callOff();
      throw error;
    }
    return announced.go({ beginsAnew: reboot });
  };

async function leaveGracefully({ leave, marker, signal }: ResetOptions): Promise<void> {
  try {
    await leave(signal);
  } catch (error) {
    // Nobody knows whether it has left, and it cannot be found out any more.
    if (signal.aborted && error === signal.reason) throw new EndingInProgressError("reset");
    await marker.clear();
    throw new LeaveFailedError(error);
  }
}

/** Whether it signs for a cluster and has its record of members, which no other node has. */
async function keepsCluster(store: Store): Promise<boolean> {
  if (!(await store.get(OSRoot, "os"))?.spec.issuingCA) return false;
  const records = await store.list(MemberRecord);
  return records.some(({ spec }) => spec.joined !== "") || (await store.list(JoinToken)).length > 0;
}

const wordsOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

async function isLastControlPlane(store: Store): Promise<boolean> {
  if ((await store.get(MachineType, "machine-type"))?.spec.type !== "controlplane") return false;
  if (await keepsCluster(store)) return true;
  const own = (await store.get(Identity, "local"))?.spec.nodeId;
  const members = await store.list(Member);
  return !members.some(({ spec }) => spec.machineType === "controlplane" && spec.nodeId !== own);
}
