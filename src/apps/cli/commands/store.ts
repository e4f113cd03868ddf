/** `trustplane store`: stores on their own, for users of the runtime. */
import { Command } from "commander";
import type { Run } from "../flags.ts";
import type { ServeOptions } from "../verbs/store/serve.ts";

export const storeCommand = (run: Run): Command =>
  new Command("store")
    .summary("serve, back up and restore a store that belongs to no node")
    .description("Works on a store of the runtime alone, without a node around it.")
    .addCommand(serveCommand(run))
    .addCommand(backupCommand(run))
    .addCommand(restoreCommand(run));

const serveCommand = (run: Run): Command =>
  new Command("serve")
    .summary("serve a store over gRPC")
    .description(
      "Serves cosi.resource.State in the foreground until SIGINT, SIGTERM or SIGHUP, without TLS: on a " +
        "socket of mode 0600, or on a port that every local user can connect to.",
    )
    .requiredOption("--store <store>", "what to serve: memory, or sqlite:FILE")
    .requiredOption("--listen <address>", "where: unix:PATH, or 127.0.0.1:PORT")
    .addHelpText(
      "after",
      `
Examples:
  $ trustplane store serve --store sqlite:./state.db --listen unix:./state.sock
  $ trustplane store serve --store memory --listen 127.0.0.1:50200`,
    )
    .action((options: ServeOptions) =>
      run(async (io) => (await import("../verbs/store/serve.ts")).serve(io, options)),
    );

const backupCommand = (run: Run): Command =>
  new Command("backup")
    .summary("copy a store to a new file")
    .description(
      "Copies a store that nobody has open to a new file of mode 0600; a program that has it open " +
        "makes a copy with store.backup(path). Of a node's store, the copy holds its secrets.",
    )
    .argument("<file>", "the store")
    .argument("<to>", "the copy; nothing may be there")
    .addHelpText(
      "after",
      `
Examples:
  $ trustplane store backup ./state.db ./state-backup.db`,
    )
    .action((file: string, to: string) =>
      run(async (io) => (await import("../verbs/store/copy.ts")).backup(io, file, to)),
    );

const restoreCommand = (run: Run): Command =>
  new Command("restore")
    .summary("make a store of a copy")
    .description(
      "Checks a copy and makes a store of it. Clients that watched the store that the copy is of are " +
        "told to list again.",
    )
    .argument("<from>", "the copy")
    .argument("<file>", "the store; nothing may be there")
    .addHelpText(
      "after",
      `
Examples:
  $ trustplane store restore ./state-backup.db ./restored.db`,
    )
    .action((from: string, file: string) =>
      run(async (io) => (await import("../verbs/store/copy.ts")).restore(io, from, file)),
    );
