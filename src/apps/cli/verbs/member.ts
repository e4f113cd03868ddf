/** `member list` and `member remove`. */
import type { ListedMember } from "../../client/index.ts";
import type { Connection } from "../flags.ts";
import type { Io } from "../io.ts";
import { withNodes } from "../nodes.ts";
import { printList, type ListFormat } from "../output/list.ts";
import { formatTable } from "../output/table.ts";
import { timeText } from "../output/time-text.ts";
import { warn } from "../terminal.ts";

/** Prints the members, as the first node that answers knows them. */
export const listMembers = (io: Io, output: ListFormat, flags: Connection): Promise<number> =>
  withNodes(io, flags, async (nodes) => {
    const members = await nodes.any((node) => nodes.client.members({ node }));
    printList(io, output, {
      items: members.map(({ joined, lastHeard, notAfter, ...member }) => ({
        ...member,
        joined: timeText(joined),
        lastHeard: timeText(lastHeard),
        notAfter: timeText(notAfter),
      })),
      header: ["HOSTNAME", "STATE", "TYPE", "ADDRESSES", "LAST HEARD", "NOT AFTER", "JOINED BY"],
      rows: members.map(rowOf),
    });
    return nodes.status();
  });

const rowOf = (member: ListedMember): string[] => [
  member.hostname,
  member.state,
  member.machineType,
  member.addresses.join(","),
  timeText(member.lastHeard),
  timeText(member.notAfter),
  member.token,
];

/** Takes one off the record, and says what that cannot take back. */
export const removeMember = (io: Io, member: string, flags: Connection): Promise<number> =>
  withNodes(io, flags, async (nodes) => {
    const node = nodes.single("member remove");
    const removed = await nodes.any(() => nodes.client.removeMember(member, { node }));
    const { hostname, nodeId, denied } = removed;
    const end = timeText(removed.notAfter);
    io.stdout.write(
      formatTable([
        ["REMOVED", "NODE ID", "CERTIFICATES DENIED"],
        [hostname, nodeId, `${denied}`],
      ]),
    );
    const until = end === "" ? "until it ends" : `until ${end}`;
    warn(io, [
      `the certificate that ${hostname} serves cannot be revoked: whoever has its key is taken for it ${until}`,
    ]);
    return nodes.status();
  });
