/** The entry of the program `trustplane`: the process becomes a {@link Shell}, the status its own. */
import { processShell, systemIo } from "./io.ts";
import { runCli } from "./program.ts";

process.exitCode = await runCli(process.argv.slice(2), processShell(process), systemIo);
