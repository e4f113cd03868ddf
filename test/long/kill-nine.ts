/** `kill -9` at any moment, again and again while the configuration changes: nothing acknowledged is lost. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { readTalosconfig } from "#config";
import { systemClock } from "#runtime";
import { parse, parseDocument } from "yaml";
import { type Client, connect } from "../../src/apps/client/index.ts";
import { type LongCase, seeded } from "./case.ts";
import { checkFiles, freePort, type RunningNode, startNode } from "./node.ts";

export const killNine: LongCase = {
  name: "kill-nine",
  async run({ ci, scratch }) {
    const rounds = ci ? 50 : 200;
    const seed = Number(process.env.TRUSTPLANE_SEED ?? 7);
    const random = seeded(seed);
    const stateDir = join(scratch, "node");
    const port = await freePort();
    let acknowledged = 0;
    let node = await startNode({ stateDir, port });
    const template = await configOf(stateDir);
    for (let round = 1; round <= rounds; round++) {
      const changing = change({ stateDir, template, from: acknowledged });
      await delay(Math.floor(random() * 400));
      node.kill("SIGKILL");
      acknowledged = await changing;
      await node.ended;
      node = await restart(node, stateDir, round, seed);
      const inForce = await numberInForce(stateDir);
      if (inForce < acknowledged) {
        throw new Error(
          `round ${String(round)}, seed ${String(seed)}: change ${String(acknowledged)} was ` +
            `acknowledged, ${String(inForce)} is in force`,
        );
      }
      acknowledged = inForce;
      await checkFiles(join(stateDir, "pki"));
    }
    node.kill("SIGTERM");
    const status = await node.ended;
    if (status !== 0) throw new Error(`SIGTERM ended it with ${String(status)}`);
    return `${String(rounds)} kills, ${String(acknowledged)} changes, seed ${String(seed)}`;
  },
};

const restart = (before: RunningNode, stateDir: string, round: number, seed: number) =>
  startNode({ stateDir, port: before.port }).catch((cause: unknown) => {
    throw new Error(`no start after kill ${String(round)}, seed ${String(seed)}`, { cause });
  });

const PLACE = { namespace: "config", type: "MachineConfigs.config.talos.dev" };
const MARK = /change-(\d+)\.example\.test/g;

async function clientOf(stateDir: string): Promise<Client> {
  const path = join(stateDir, "talosconfig");
  const { context, contexts } = readTalosconfig(await readFile(path, "utf8"), path);
  const { endpoints = [], ca = "", crt = "", key = "" } = contexts[context] ?? {};
  return connect({ endpoints, ca, crt, key, source: path, clock: systemClock });
}

/** The configuration in force, as the node tells it. */
async function configOf(stateDir: string): Promise<string> {
  await using client = await clientOf(stateDir);
  const { yamlSpec } = await client.get({ ...PLACE, id: "v1alpha1" });
  return parse(yamlSpec) as string;
}

/** The number of the last change that is in force; 0 for none. */
async function numberInForce(stateDir: string): Promise<number> {
  const marks = [...(await configOf(stateDir)).matchAll(MARK)];
  return Math.max(0, ...marks.map(([, number]) => Number(number)));
}

/** Applies one change after the other until the node is gone; the last one that was acknowledged. */
async function change(options: {
  readonly stateDir: string;
  readonly template: string;
  readonly from: number;
}): Promise<number> {
  let acknowledged = options.from;
  await using client = await clientOf(options.stateDir);
  for (;;) {
    const name = `change-${String(acknowledged + 1)}.example.test`;
    const document = parseDocument(options.template.split(/^---$/m)[0] ?? "");
    document.setIn(["machine", "certSANs"], [name]);
    try {
      await client.applyConfiguration({ data: document.toString() });
    } catch {
      return acknowledged; // it was killed meanwhile; that it answers again is checked next
    }
    acknowledged++;
  }
}
