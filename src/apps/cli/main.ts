/** The entry of the program `trustplane`: the process becomes a {@link Shell}, the status its own. */
import { processShell, systemIo } from "./io.ts";
import { runCli } from "./program.ts";

const status = await runCli(process.argv.slice(2), processShell(process), systemIo);
process.exitCode ??= status; // one is there already when the standard output could not be written

// Who took the signals keeps them to the end: one that comes while Node winds down would change the status.
if (process.listenerCount("SIGINT") > 0) process.exit();
