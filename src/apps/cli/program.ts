/** The program: its verbs, its global flags, and the one place where a run ends in a status. */
import { Command, CommanderError } from "commander";
import { applyConfigCommand } from "./commands/apply-config.ts";
import { auditCommand } from "./commands/audit.ts";
import { completeCommand, completionCommand } from "./commands/completion.ts";
import { configCommand } from "./commands/config.ts";
import { containersCommand } from "./commands/containers.ts";
import { denyCommand, undenyCommand } from "./commands/deny.ts";
import { genCommand } from "./commands/gen.ts";
import { eventsCommand } from "./commands/events.ts";
import { getCommand } from "./commands/get.ts";
import { healthCommand } from "./commands/health.ts";
import { helpCommand } from "./commands/help.ts";
import { kubeconfigCommand } from "./commands/kubeconfig.ts";
import { listCommand } from "./commands/list.ts";
import { policyCommand } from "./commands/policy.ts";
import { readCommand } from "./commands/read.ts";
import { rebootCommand, resetCommand, shutdownCommand } from "./commands/lifecycle.ts";
import { logsCommand } from "./commands/logs.ts";
import { memberCommand } from "./commands/member.ts";
import { serviceCommand } from "./commands/service.ts";
import { storeCommand } from "./commands/store.ts";
import { supportCommand } from "./commands/support.ts";
import { inspectCommand } from "./commands/inspect.ts";
import { editCommand, machineConfigCommand, patchCommand } from "./commands/patch.ts";
import { rekeyCommand, renewCommand } from "./commands/renew.ts";
import { simulateCommand } from "./commands/simulate.ts";
import { timeCommand } from "./commands/time.ts";
import { tokenCommand } from "./commands/token.ts";
import { upCommand } from "./commands/up.ts";
import { validateCommand } from "./commands/validate.ts";
import { versionCommand } from "./commands/version.ts";
import { withConnectionFlags, type Run } from "./flags.ts";
import { withGoFlags } from "./go-flags.ts";
import type { Io, Shell } from "./io.ts";
import { FAILURE, INTERRUPTED, OK, WRONG_USAGE } from "./status.ts";

const EPILOGUE = `
Examples:
  $ trustplane up --config controlplane.yaml
  $ trustplane get certificatestatus
  $ trustplane gen config my-cluster https://192.0.2.10:6443

The talosconfig is the file of --talosconfig, else of the variable TALOSCONFIG, else
./.trustplane/talosconfig, else ~/.talos/config.

trustplane --version, or -v, is trustplane version --client.

Flags are written as for talosctl: -o yaml, --output=yaml, and --force, --force=true, --force=false.

Exit status:
  ${OK}    done
  ${FAILURE}    failed; with several nodes, on at least one of them
  ${WRONG_USAGE}    wrong usage: an unknown verb or flag, a missing or malformed argument
  ${INTERRUPTED}  ended by a second signal

TRUSTPLANE_DEBUG=1 shows the stack of an error.`;

/** The commands are light: what a verb does is loaded when it is called. */
function program(run: Run): Command {
  const root = new Command("trustplane")
    .description("Issues, renews and reports every certificate of a cluster; speaks Talos' API.")
    .usage("[flags] VERB")
    .enablePositionalOptions()
    .addHelpText("after", EPILOGUE);
  withConnectionFlags(root);
  for (const command of [upCommand, getCommand, applyConfigCommand, configCommand])
    root.addCommand(command(run));
  for (const command of [patchCommand, editCommand, machineConfigCommand])
    root.addCommand(command(run));
  for (const command of [
    serviceCommand,
    logsCommand,
    eventsCommand,
    rebootCommand,
    shutdownCommand,
    resetCommand,
  ])
    root.addCommand(command(run));
  for (const command of [genCommand, validateCommand, inspectCommand, storeCommand])
    root.addCommand(command(run));
  for (const command of [timeCommand, healthCommand, readCommand, listCommand])
    root.addCommand(command(run));
  for (const command of [containersCommand, kubeconfigCommand, supportCommand])
    root.addCommand(command(run));
  for (const command of [renewCommand, rekeyCommand, denyCommand, undenyCommand, policyCommand])
    root.addCommand(command(run));
  for (const command of [tokenCommand, memberCommand]) root.addCommand(command(run));
  for (const command of [auditCommand, simulateCommand, versionCommand])
    root.addCommand(command(run));
  root.addCommand(completionCommand(run));
  root.addCommand(completeCommand(run), { hidden: true });
  return root;
}

/**
 * Runs the program once; never rejects.
 *
 * @param argv the arguments, without node and script
 * @param complete gives a verb its world; help and wrong usage do without
 * @returns the exit status
 */
export async function runCli(
  argv: readonly string[],
  shell: Shell,
  complete: (shell: Shell) => Promise<Io>,
): Promise<number> {
  let status = OK;
  const root = program(async (verb) => {
    status = await verb(await complete(shell));
  });
  for (const command of family(root))
    if (command.commands.length > 0) command.addCommand(helpCommand());
  for (const command of family(root)) {
    withGoFlags(command);
    command
      .exitOverride()
      .showHelpAfterError(`hint: ${pathOf(command)} --help shows how it is called`)
      .helpOption("-h, --help", "show what it does")
      .configureOutput({
        writeOut: (text) => shell.stdout.write(text),
        writeErr: (text) => shell.stderr.write(text),
        getOutHelpWidth: () => shell.stdout.columns ?? 100,
        getErrHelpWidth: () => shell.stderr.columns ?? 100,
        getOutHasColors: () => false,
        getErrHasColors: () => false,
      });
  }
  try {
    await root.parseAsync(withVersionVerb(argv), { from: "user" });
    return status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? OK : WRONG_USAGE;
    const { report } = await import("./errors.ts");
    return report(error, shell);
  }
}

/** `--version`, which other programs have, is a verb here. */
const withVersionVerb = ([first, ...others]: readonly string[]): string[] =>
  first === "--version" || first === "-v"
    ? ["version", "--client", ...others]
    : [...(first === undefined ? [] : [first]), ...others];

/** As it is called: `trustplane gen config`. */
const pathOf = (command: Command): string =>
  command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;

const family = (command: Command): Command[] => [command, ...command.commands.flatMap(family)];
