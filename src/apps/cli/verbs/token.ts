/** `token create`, `token list` and `token revoke`. */
import { readDuration } from "#config";
import type { ListedToken, NewToken } from "../../client/index.ts";
import type { Connection } from "../flags.ts";
import type { Io } from "../io.ts";
import { withNodes } from "../nodes.ts";
import { printList, type ListFormat } from "../output/list.ts";
import { timeText } from "../output/time-text.ts";
import { warn } from "../terminal.ts";

/** The flags of `token create`. */
export interface TokenOptions {
  readonly uses: number;
  /** `0`: it has no end. */
  readonly ttl: string;
  readonly name?: readonly string[];
  readonly address?: readonly string[];
  readonly machineType: string;
  readonly description: string;
  readonly output: ListFormat | "token";
}

/** Makes a token, and prints it alone: what there is to say of it goes to the standard error. */
export const createToken = (io: Io, options: TokenOptions, flags: Connection): Promise<number> =>
  withNodes(io, flags, async (nodes) => {
    const node = nodes.single("token create");
    const { uses, ttl, machineType, description, name = [], address = [], output } = options;
    const lifetime = ttl === "0" ? undefined : readDuration(ttl);
    const request = { uses, lifetime, machineType, description };
    const made = await nodes.any(() =>
      nodes.client.createToken({ ...request, dnsNames: name, addresses: address }, { node }),
    );
    if (machineType === "controlplane")
      warn(io, ["who has this token can become a control plane of the cluster"]);
    if (uses === 0 && lifetime === undefined && name.length + address.length === 0)
      warn(io, ["this token lets any number of nodes in, for ever, whatever they are called"]);
    if (output === "token") io.stdout.write(`${made.token}\n`);
    else {
      const told = { id: made.id, token: made.token, notAfter: timeText(made.notAfter) };
      const rows = [[told.id, told.token, told.notAfter]];
      printList(io, output, { items: [told], header: ["ID", "TOKEN", "NOT AFTER"], rows });
    }
    io.stderr.write(hint(made, uses));
    return nodes.status();
  });

const hint = ({ id, notAfter }: NewToken, uses: number): string => {
  const joins = uses === 0 ? "any number of joins" : uses === 1 ? "one join" : `${uses} joins`;
  const end = notAfter === undefined ? "without an end" : `until ${timeText(notAfter)}`;
  return (
    `hint: token ${id} is good for ${joins}, ${end}, and is not shown again; it belongs in machine.token of a ` +
    "configuration that a node joins with\n"
  );
};

/** Prints the tokens, without themselves. */
export const listTokens = (io: Io, output: ListFormat, flags: Connection): Promise<number> =>
  withNodes(io, flags, async (nodes) => {
    const tokens = await nodes.any((node) => nodes.client.tokens({ node }));
    printList(io, output, {
      items: tokens.map(({ created, notAfter, ...token }) => ({
        ...token,
        created: timeText(created),
        notAfter: timeText(notAfter),
      })),
      header: ["ID", "STATE", "USED", "NOT AFTER", "TYPE", "BOUND TO", "DESCRIPTION"],
      rows: tokens.map(rowOf),
    });
    return nodes.status();
  });

const rowOf = (token: ListedToken): string[] => [
  token.id,
  token.state,
  token.uses === 0 ? `${token.used}` : `${token.used} of ${token.uses}`,
  timeText(token.notAfter),
  token.machineType,
  [...token.dnsNames, ...token.addresses].join(","),
  token.description,
];

/** Ends one before its time. */
export const revokeToken = (io: Io, id: string, flags: Connection): Promise<number> =>
  withNodes(io, flags, async (nodes) => {
    const node = nodes.single("token revoke");
    await nodes.any(() => nodes.client.revokeToken(idIn(io, id), { node }));
    io.stdout.write(`token ${id.slice(0, ID_LENGTH)} is revoked\n`);
    return nodes.status();
  });

const ID_LENGTH = 6;

/** Who gives the whole token shows it to those who see the processes of this machine. */
function idIn(io: Io, text: string): string {
  if (!/^[0-9a-z]{6}\.[0-9a-z]{16}$/.test(text)) return text;
  warn(io, ["this is a whole token, and its id is enough: what stands before the dot"]);
  return text.slice(0, ID_LENGTH);
}
