/** `policy show` and `policy apply`. */
import { writePolicy } from "#config";
import { defaultPolicy } from "#pki";
import { readInput } from "../files.ts";
import type { Connection } from "../flags.ts";
import type { Io } from "../io.ts";
import { withNodes } from "../nodes.ts";
import { formatTable } from "../output/table.ts";
import { warn } from "../terminal.ts";

/** Prints the policy in force, of each node. */
export async function showPolicy(
  io: Io,
  options: { readonly default: boolean },
  flags: Connection,
): Promise<number> {
  if (options.default) {
    io.stdout.write(writePolicy(defaultPolicy));
    return 0;
  }
  return withNodes(io, flags, async (nodes) => {
    const answers = await nodes.each((node) => nodes.client.policy({ node }));
    const documents = answers.map(({ node, answer }) =>
      answers.length > 1 ? `# ${node}\n${answer}` : answer,
    );
    io.stdout.write(documents.join("---\n"));
    return nodes.status();
  });
}

/** Puts a policy in force, and tells what of what is held it would refuse. */
export async function applyPolicy(
  io: Io,
  { file, dryRun }: { readonly file: string; readonly dryRun: boolean },
  flags: Connection,
): Promise<number> {
  const policy = await readInput(io, file);
  return withNodes(io, flags, async (nodes) => {
    const answers = await nodes.each((node) =>
      nodes.client.applyPolicy({ policy, dryRun }, { node }),
    );
    for (const { node, answer } of answers)
      warn(
        io,
        answer.map((warning) => `${node}: ${warning}`),
      );
    const outcome = dryRun ? "not changed: dry run" : "in force";
    const rows = answers.map(({ node }) => [node, outcome]);
    if (rows.length > 0) io.stdout.write(formatTable([["NODE", "POLICY"], ...rows]));
    return nodes.status();
  });
}
