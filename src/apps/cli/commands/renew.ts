/** `trustplane renew` and `rekey`: leaves before their time. */
import { Command } from "commander";
import { connection, withConnectionFlags, type Run } from "../flags.ts";

export const renewCommand = (run: Run): Command =>
  withConnectionFlags(new Command("renew"))
    .summary("issue certificates anew, with the keys that they have")
    .description(
      "Issues certificates of the nodes anew before they are due, and prints them once they are held. " +
        "Authorities are not renewed but rotated.",
    )
    .argument("[id...]", "certificates, as get certificatestatus names them")
    .option("--all", "all leaves", false)
    .addHelpText(
      "after",
      "\nExamples:\n  $ trustplane renew apid-server\n  $ trustplane renew --all -n 192.0.2.10,192.0.2.11",
    )
    .action((ids: string[], { all }: { all: boolean }, command: Command) =>
      run(async (io) => {
        const { renew } = await import("../verbs/renew.ts");
        return renew(io, { ids, all, newKey: false }, connection(command));
      }),
    );

export const rekeyCommand = (run: Run): Command =>
  withConnectionFlags(new Command("rekey"))
    .summary("issue certificates anew, with new keys")
    .description(
      "Issues certificates of the nodes anew with new keys, and prints them once they are held.",
    )
    .argument("<id...>", "certificates, as get certificatestatus names them")
    .addHelpText("after", "\nExamples:\n  $ trustplane rekey etcd-peer etcd-server")
    .action((ids: string[], _: object, command: Command) =>
      run(async (io) => {
        const { renew } = await import("../verbs/renew.ts");
        return renew(io, { ids, all: false, newKey: true }, connection(command));
      }),
    );
