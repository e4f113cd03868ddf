/** Where the values of flags and arguments come from, for completion. */
import type { Command, Option } from "commander";
import { parse } from "yaml";
import type { Client } from "../../client/index.ts";
import type { Connection } from "../flags.ts";
import type { Io } from "../io.ts";
import { DEFINITIONS, resolveKind } from "../kinds.ts";
import { withNodes } from "../nodes.ts";
import { chosenContext, openTalosconfig } from "../talosconfig.ts";

/** Finds values that may begin with what is wanted; it may ask nodes, and fail. */
export type Source = (io: Io, flags: Connection, wanted: string) => Promise<readonly string[]>;

/** The values of a flag. */
export const valuesOf = (option: Option): Source | undefined =>
  option.argChoices
    ? fixed(option.argChoices.map((choice) => choice.replace(/=.*/, "=")))
    : flagValues[option.long ?? ""];

/** The values of the argument that comes after these. */
export function argumentsOf(
  path: string,
  args: readonly string[],
  command: Command,
): Source | undefined {
  const declared = command.registeredArguments[args.length];
  if (declared?.argChoices !== undefined) return fixed(declared.argChoices);
  return argumentValues[path]?.(args);
}

const fixed =
  (values: readonly string[]): Source =>
  async () =>
    values;

const contexts: Source = async (io, flags) =>
  Object.keys((await openTalosconfig(io, flags)).config.contexts);

const asked =
  (
    question: (client: Client, node: string, wanted: string) => Promise<readonly string[]>,
  ): Source =>
  async (io, flags, wanted) => {
    let found: readonly string[] = [];
    await withNodes(io, flags, async ({ client, any }) => {
      found = await any((node) => question(client, node, wanted));
      return 0;
    });
    return found;
  };

const kinds = asked(async (client, node) => {
  const definitions = await client.list(DEFINITIONS, { node });
  return definitions.flatMap(({ metadata, yamlSpec }) => {
    const { aliases, allAliases } = parse(yamlSpec) as Record<string, string[] | undefined>;
    return [metadata.id, ...(allAliases ?? []).slice(0, 1), ...(aliases ?? [])];
  });
});

const ids = (kind: string): Source =>
  asked(async (client, node) => {
    const definitions = await client.list(DEFINITIONS, { node });
    const { type, defaultNamespace: namespace } = resolveKind(kind, definitions);
    return (await client.list({ namespace, type }, { node })).map(({ metadata }) => metadata.id);
  });

/** What may be renewed: authorities are rotated instead. */
const leaves = asked(async (client, node) =>
  (await client.list(CERTIFICATES, { node }))
    .filter(({ metadata }) => metadata.labels["trustplane.dev/role"] === "leaf")
    .map(({ metadata }) => metadata.id),
);

const CERTIFICATES = { namespace: "secrets", type: "CertificateStatuses.secrets.talos.dev" };

const denied = asked(async (client, node) =>
  (await client.denied({ node })).map(({ fingerprint }) => fingerprint),
);

/** Those that it makes a difference to revoke. */
const validTokens = asked(async (client, node) =>
  (await client.tokens({ node })).filter(({ state }) => state === "Valid").map(({ id }) => id),
);

/** Those that joined. */
const joined = asked(async (client, node) =>
  (await client.members({ node }))
    .filter(({ token }) => token !== "")
    .map(({ hostname }) => hostname),
);

/** Directories end with a slash, so that the next word goes on from there. */
const paths = asked(async (client, node, wanted) => {
  const root = wanted.slice(0, wanted.lastIndexOf("/") + 1) || "/";
  const found: string[] = [];
  for await (const { relativeName, type } of client.files({ root, depth: 1, types: [] }, { node }))
    if (relativeName !== ".")
      found.push(`${root}${relativeName}${type === "directory" ? "/" : ""}`);
  return found;
});

const flagValues: Readonly<Record<string, Source>> = {
  "--context": contexts,
  "--namespace": asked(async (client, node) =>
    (await client.list({ namespace: "meta", type: "Namespaces.meta.cosi.dev" }, { node })).map(
      ({ metadata }) => metadata.id,
    ),
  ),
  "--nodes": async (io, flags) => {
    const { context } = chosenContext(await openTalosconfig(io, flags), flags);
    return [...(context.nodes ?? []), ...context.endpoints];
  },
  "--endpoints": async (io, flags) =>
    chosenContext(await openTalosconfig(io, flags), flags).context.endpoints,
};

const services = asked(async (client, node) =>
  (await client.services({ node })).map(({ id }) => id),
);

const first = (source: Source) => (args: readonly string[]) =>
  args.length === 0 ? source : undefined;

const argumentValues: Readonly<Record<string, (args: readonly string[]) => Source | undefined>> = {
  get: ([kind, id]) => (kind === undefined ? kinds : id === undefined ? ids(kind) : undefined),
  service: first(services),
  logs: first(services),
  renew: () => leaves,
  rekey: () => leaves,
  undeny: first(denied),
  "token revoke": first(validTokens),
  "member remove": first(joined),
  read: first(paths),
  list: first(paths),
  "config context": first(contexts),
  "config remove": first(contexts),
};
