/** `version`: five lines about this program, and more about each node (talosctl-wire.md §2.9). */
import { version as own } from "../../node/version.ts";
import type { Connection } from "../flags.ts";
import type { Io } from "../io.ts";

/** The flags of `version`. */
export interface VersionOptions {
  readonly client: boolean;
  readonly short: boolean;
}

/** What is said about a build. */
interface Build {
  readonly tag: string;
  readonly sha: string;
  readonly built: string;
  readonly goVersion: string;
  readonly os: string;
  readonly arch: string;
}

const lines = ({ tag, sha, built, goVersion, os, arch }: Build): string =>
  `\tTag:         ${tag}\n\tSHA:         ${sha}\n\tBuilt:       ${built}\n` +
  `\tGo version:  ${goVersion}\n\tOS/Arch:     ${os}/${arch}\n`;

/** Go's names for processors, which talosctl prints. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386" };

/** There is no Go in it: the line of its version tells the Node.js that it runs on. */
const client: Build = {
  tag: `v${own}`,
  sha: "",
  built: "",
  goVersion: `node ${process.version}`,
  os: process.platform,
  arch: ARCHITECTURES[process.arch] ?? process.arch,
};

/** Prints the versions. */
export async function version(
  io: Io,
  { client: clientOnly, short }: VersionOptions,
  flags: Connection,
): Promise<number> {
  io.stdout.write(short ? `Client ${client.tag}\n` : `Client:\n${lines(client)}`);
  if (clientOnly) return 0;
  const { withNodes } = await import("../nodes.ts");
  return withNodes(io, flags, async (nodes) => {
    const answers = await nodes.each((node) => nodes.client.version({ node }));
    if (answers.length > 0 && !short) io.stdout.write("Server:\n");
    for (const { node, answer } of answers)
      io.stdout.write(
        short
          ? `Server ${node} ${answer.tag}\n`
          : `\tNODE:        ${node}\n${lines(answer)}${answer.rbac ? "\tEnabled:     RBAC\n" : ""}`,
      );
    return nodes.status();
  });
}
