/** The end of a run of a node, over `machine.MachineService` (talosctl-wire.md §2.8). */
import {
  RebootRequest_Mode as Mode,
  type RebootResponse,
  ResetRequest,
  type ResetResponse,
  type ShutdownResponse,
} from "../rpc/gen/machine/machine.ts";
import type { Client } from "./client.ts";
import { callMetadata, reply } from "./connection.ts";
import type { Endpoints } from "./failover.ts";
import { only } from "./machine-calls.ts";

/** How a machine below a node is rebooted; there is none below a node of ours. */
export type RebootMode = "default" | "powercycle" | "force";

const modes: Readonly<Record<RebootMode, Mode>> = {
  default: Mode.DEFAULT,
  powercycle: Mode.POWERCYCLE,
  force: Mode.FORCE,
};

/** Makes the calls. */
export const lifecycleCalls = (
  endpoints: Endpoints,
): Pick<Client, "reboot" | "reset" | "shutdown"> => ({
  reboot: ({ mode = "default" }, { node } = {}) =>
    endpoints.ask(node, async ({ machine }) => {
      const response = await reply<RebootResponse>((done) =>
        machine.reboot({ mode: modes[mode] }, callMetadata(node), done),
      );
      return only(response).actorId;
    }),
  reset: ({ graceful = true, reboot = false }, { node } = {}) =>
    endpoints.ask(node, async ({ machine }) => {
      const request = { ...ResetRequest.decode(new Uint8Array()), graceful, reboot };
      const response = await reply<ResetResponse>((done) =>
        machine.reset(request, callMetadata(node), done),
      );
      return only(response).actorId;
    }),
  shutdown: ({ force = false }, { node } = {}) =>
    endpoints.ask(node, async ({ machine }) => {
      const response = await reply<ShutdownResponse>((done) =>
        machine.shutdown({ force }, callMetadata(node), done),
      );
      return only(response).actorId;
    }),
});
