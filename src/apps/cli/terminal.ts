/** What a person at a terminal sees in addition; a pipe sees nothing of it. */
import type { Io } from "./io.ts";
import type { Paint } from "./output/table.ts";

/** Runs `work` with a line on the terminal that is gone when it is done. */
export async function withProgress<T>(
  { stderr, env }: Pick<Io, "stderr" | "env">,
  doing: string,
  work: () => Promise<T>,
): Promise<T> {
  if (stderr.isTTY !== true || env.TERM === "dumb") return work();
  stderr.write(`${doing} …`);
  try {
    return await work();
  } finally {
    stderr.write("\r\u001b[K");
  }
}

const [RED, GREEN, YELLOW] = [31, 32, 33];

/** The states of certificates (talos-pki.md §1.5), join tokens and members, and how they look. */
const STATE_COLOURS: Readonly<Record<string, number>> = {
  Valid: GREEN,
  RenewalDue: YELLOW,
  NotYetValid: YELLOW,
  Expired: RED,
  Missing: RED,
  KeyMismatch: RED,
  Untrusted: RED,
  Spent: YELLOW,
  Ended: YELLOW,
  Revoked: YELLOW,
  Self: GREEN,
  Heard: GREEN,
  Unheard: RED,
};

/** Colours the states in a column, on a terminal that shows colours to one who wants them. */
export function statePaint(
  { stdout, env }: Pick<Io, "stdout" | "env">,
  stateColumn: number,
): Paint {
  const plain = stdout.isTTY !== true || env.TERM === "dumb" || (env.NO_COLOR ?? "") !== "";
  return (cell, column) => {
    const colour = column === stateColumn ? STATE_COLOURS[cell] : undefined;
    return plain || colour === undefined ? cell : `\u001b[${colour}m${cell}\u001b[0m`;
  };
}

/** Prints what should be known and is no error, as Talos does. */
export function warn({ stderr }: Pick<Io, "stderr">, warnings: readonly string[]): void {
  for (const warning of warnings) stderr.write(`WARNING: ${warning}\n`);
}
