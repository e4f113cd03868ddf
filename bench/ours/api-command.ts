/** How long a command takes that asks a node, beyond one that asks nobody: the median of some, in ms. */
import { writeTalosconfig } from "#config";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { median } from "../statistics.ts";
import type { Task } from "../size.ts";

export async function apiCommand(task: Task): Promise<number> {
  const { program, directory = "", address = "", count, warmup = 1 } = task;
  if (program === undefined) throw new TypeError("there is no program to start");
  const talosconfig = join(directory, "talosconfig");
  const pem = (name: string) => readFile(join(directory, name), "utf8");
  const identity = { crt: await pem("client.crt"), key: await pem("client.key") };
  const context = { endpoints: [address], ca: await pem("ca.crt"), ...identity };
  await writeFile(
    talosconfig,
    writeTalosconfig({ context: "bench", contexts: { bench: context } }),
    { mode: 0o600 },
  );
  const asking = ["--talosconfig", talosconfig, "get", "certificatestatus", "-n", "127.0.0.1"];
  const beyond: number[] = [];
  for (let i = -warmup; i < count; i++) {
    const start = await durationOf(program, ["version", "--client"]);
    const whole = await durationOf(program, asking);
    if (i >= 0) beyond.push(whole - start);
  }
  return median(beyond);
}

async function durationOf(program: string, args: readonly string[]): Promise<number> {
  const start = performance.now();
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "inherit"] });
  const [status] = (await once(child, "close")) as [number | null];
  if (status !== 0) throw new Error(`${args.join(" ")} ended with status ${String(status)}`);
  return performance.now() - start;
}
