/** apid with the services, logs and events of a node, on a clock that stands still. */
import type { MachineServiceClient } from "../../../src/apps/rpc/gen/machine/machine.ts";
import { LeaveFailedError } from "../../../src/apps/apid/index.ts";
import { newBoot, type Boot } from "../../../src/apps/node/boot.ts";
import { at, manualClock, systemRandom, type ManualClock } from "#runtime";
import { issueClient, rawClient, runNode, type RunningNode } from "./running-node.ts";

/** What a test has of it. */
export interface BootedNode extends AsyncDisposable {
  readonly node: RunningNode;
  readonly boot: Boot;
  readonly clock: ManualClock;
  /** An administrator's; closed with the node. */
  readonly machine: MachineServiceClient;
}

/** Starts one. */
export async function bootNode(): Promise<BootedNode> {
  const clock = manualClock(at("2030-01-01"));
  const boot = newBoot({ clock, random: systemRandom });
  const node = await runNode({
    ports: {
      build: { sha: "", built: "" },
      applyConfiguration: async () => ({ warnings: [], modeDetails: "" }),
      issueClientConfiguration: async () => ({ ca: "", crt: "", key: "", talosconfig: "" }),
      services: boot.services,
      logs: boot.logs.logs,
      events: boot.events,
      endRun: boot.endings.end,
      resetNode: async ({ graceful, reboot }) => {
        if (graceful) throw new LeaveFailedError("nobody answers");
        return boot.endings.announce("reset").go({ beginsAnew: reboot });
      },
    },
  });
  const machine = rawClient(node, await issueClient(node.root));
  return {
    ...{ node, boot, clock, machine },
    async [Symbol.asyncDispose]() {
      machine.close();
      await node[Symbol.asyncDispose]();
    },
  };
}
