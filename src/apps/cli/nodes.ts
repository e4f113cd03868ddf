/** The nodes that a verb talks to, and how their failures add up. */
import { connect, connectInsecurely, endsSoon, type Client } from "../client/index.ts";
import { advised, type Caller } from "./advice.ts";
import { checkEndpoints, checkNodes } from "./endpoints.ts";
import { ArgumentError, report, UsageError } from "./errors.ts";
import type { Connection } from "./flags.ts";
import type { Io } from "./io.ts";
import { FAILURE, OK } from "./status.ts";
import { chosenContext, openTalosconfig } from "./talosconfig.ts";
import { warn } from "./terminal.ts";

/** What a node answered. */
export interface Answer<T> {
  readonly node: string;
  readonly answer: T;
}

/** One client, and the nodes that are meant. */
export interface Nodes {
  readonly client: Client;
  readonly names: readonly string[];
  /** Where the calls go, as the talosconfig or the flag has it. */
  readonly endpoints: readonly string[];
  /** The nodes of the context, whichever are meant now. */
  readonly usual: readonly string[];
  /** Asks all nodes at once; one that fails is reported, and stops no other. In their order. */
  readonly each: <T>(ask: (node: string) => Promise<T>) => Promise<readonly Answer<T>[]>;
  /**
   * The one node that is meant.
   *
   * @throws {ArgumentError} when there are several
   */
  readonly single: (verb: string) => string;
  /** The answer of the first node that has one. */
  readonly any: <T>(ask: (node: string) => Promise<T>) => Promise<T>;
  /** Reports a failure that stops nothing else. */
  readonly fail: (error: unknown) => void;
  /** The exit status, by what has failed so far. */
  readonly status: () => number;
}

/**
 * Runs `use` with a client of the context in use, and closes it.
 *
 * @throws {UsageError} when an endpoint or a node of the flags is none
 * @throws {ArgumentError} when nothing says which nodes, endpoints or identity to use
 */
export async function withNodes(
  io: Io,
  flags: Connection,
  use: (nodes: Nodes) => Promise<number>,
): Promise<number> {
  if (flags.certFingerprint !== undefined && flags.insecure !== true)
    throw new UsageError("--cert-fingerprint needs --insecure");
  if (flags.insecure === true) return withUnknownNodes(io, flags, use);
  checkEndpoints(flags.endpoints ?? []);
  checkNodes(flags.nodes ?? []);
  const file = await openTalosconfig(io, flags);
  const { name, context } = chosenContext(file, flags);
  const { ca = "", crt, key, nodes: usual = [] } = context;
  const names = flags.nodes ?? usual;
  const endpoints = flags.endpoints ?? context.endpoints;
  const source = `context ${JSON.stringify(name)} in ${file.path}`;
  if (names.length === 0)
    throw new ArgumentError(
      "nodes are not set for the command: please use `--nodes` flag or configuration file to set " +
        "the nodes to run the command against",
    );
  if (endpoints.length === 0)
    throw new ArgumentError(
      `failed to determine endpoints: ${source} has none; name them with --endpoints, or set them ` +
        "with trustplane config endpoint",
    );
  if (crt === undefined || key === undefined)
    throw new ArgumentError(`${source} has no client certificate (crt) with its key`);
  const caller = { context, source };
  const open = () => {
    try {
      return connect({ endpoints, ca, crt, key, source, clock: io.clock });
    } catch (error) {
      throw advised(error, caller);
    }
  };
  await using client = open();
  const ending = endsSoon({ crt, source }, io.clock);
  if (ending !== undefined) warn(io, [ending]);
  return await use(nodesOf(io, caller, { client, names, endpoints, usual }));
}

/** Nodes in maintenance: no talosconfig is read, and each is asked at its own address. */
async function withUnknownNodes(
  io: Io,
  { nodes: names = [], certFingerprint: fingerprint }: Connection,
  use: (nodes: Nodes) => Promise<number>,
): Promise<number> {
  checkEndpoints(names);
  if (names.length === 0)
    throw new UsageError("--insecure needs --nodes: the address that the node printed");
  const trust = fingerprint === undefined ? {} : { fingerprint };
  await using client = await connectInsecurely({ nodes: names, clock: io.clock, ...trust });
  const caller = { context: { endpoints: names }, source: "--insecure" };
  return await use(nodesOf(io, caller, { client, names, endpoints: names, usual: [] }));
}

function nodesOf(
  io: Io,
  caller: Caller,
  some: Pick<Nodes, "client" | "names" | "endpoints" | "usual">,
): Nodes {
  const { names } = some;
  let status = OK;
  const fail = (error: unknown, node?: string) => {
    status = FAILURE;
    report(error, io, names.length > 1 ? node : undefined);
  };
  return {
    ...some,
    fail,
    status: () => status,
    single(verb) {
      const [node, ...others] = names;
      if (node === undefined || others.length > 0)
        throw new ArgumentError(
          `command "${verb}" is not supported with multiple nodes: name one with --nodes`,
        );
      return node;
    },
    async each<T>(ask: (node: string) => Promise<T>) {
      const answers = await Promise.all(
        names.map(async (node): Promise<Answer<T>[]> => {
          try {
            return [{ node, answer: await ask(node) }];
          } catch (error) {
            fail(advised(error, caller, node), node);
            return [];
          }
        }),
      );
      return answers.flat();
    },
    async any(ask) {
      let failure: unknown;
      for (const node of names)
        try {
          return await ask(node);
        } catch (error) {
          failure ??= advised(error, caller, node);
        }
      throw failure;
    },
  };
}
