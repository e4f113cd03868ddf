/** `support`: everything about the nodes that is no secret, in a zip (talosctl-wire.md §2.8). */
import { strToU8, zipSync, type Zippable } from "fflate";
import { rfc3339 } from "#runtime";
import { parse } from "yaml";
import { z } from "zod";
import type { Client, RemoteResource } from "../../client/index.ts";
import { refuseExisting, STREAM, writeOutputs } from "../files.ts";
import { UsageError } from "../errors.ts";
import type { Connection } from "../flags.ts";
import type { Io } from "../io.ts";
import { DEFINITIONS } from "../kinds.ts";
import { withNodes } from "../nodes.ts";
import { formatJson } from "../output/json.ts";
import { resourceYaml, type Printable } from "../output/resource.ts";
import { withProgress } from "../terminal.ts";
import { graphWithResources } from "./inspect-dependencies.ts";

/** The flags of `support`. */
export interface SupportOptions {
  readonly output: string;
  readonly force: boolean;
}

/** Writes the zip; what a node cannot give is told in its `errors.txt`, and on stderr. */
export async function support(
  io: Io,
  { output, force }: SupportOptions,
  flags: Connection,
): Promise<number> {
  if (output === STREAM) throw new UsageError("a zip goes into a file: name it with --output");
  await refuseExisting(io, [output], force);
  return withNodes(io, flags, async (nodes) => {
    const { client, each, fail } = nodes;
    const bundles = await withProgress(io, "collecting", () =>
      each(async (node) => {
        await client.version({ node }); // of a node that is not there nothing is collected
        return collect(client, node);
      }),
    );
    const files: Zippable = {};
    for (const { node, answer } of bundles)
      for (const [name, text] of answer.files) files[`${node}/${name}`] = strToU8(text);
    if (bundles.length === 0) return nodes.status();
    const zip = zipSync(files, { mtime: new Date(io.clock.now()) });
    await writeOutputs(io, [{ path: output, content: zip }], force);
    for (const { answer } of bundles) for (const error of answer.errors) fail(error);
    return nodes.status();
  });
}

interface Bundle {
  readonly files: ReadonlyMap<string, string>;
  readonly errors: readonly unknown[];
}

/** Files by name; a part that fails stops no other. */
type Part = (client: Client, node: string) => Promise<Iterable<readonly [string, string]>>;

async function collect(client: Client, node: string): Promise<Bundle> {
  const files = new Map<string, string>();
  const errors: unknown[] = [];
  for (const part of parts)
    try {
      for (const [name, text] of await part(client, node)) files.set(name, text);
    } catch (error) {
      errors.push(error);
    }
  const lines = errors.map(reasonOf);
  if (lines.length > 0) files.set("errors.txt", `${lines.join("\n")}\n`);
  return { files, errors };
}

const reasonOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

/** A kind that this client may not see has the reason in its file. */
const resources: Part = async (client, node) => {
  const definitions = await client.list(DEFINITIONS, { node });
  return Promise.all(
    definitions.map(async ({ yamlSpec }) => {
      const kind = definition.parse(parse(yamlSpec));
      const text = await documentsOf(kind, client, node).catch(
        (error: unknown) => `# ${reasonOf(error)}\n`,
      );
      return [`resources/${kind.type}.yaml`, text] as const;
    }),
  );
};

async function documentsOf(
  { type, defaultNamespace: namespace, sensitivity }: z.infer<typeof definition>,
  client: Client,
  node: string,
): Promise<string> {
  const found = await client.list({ namespace, type }, { node });
  const documents = found.map((resource) =>
    resourceYaml({ node }, sensitivity === "sensitive" ? redacted(resource) : resource),
  );
  return documents.join("---\n");
}

const definition = z.object({
  type: z.string(),
  defaultNamespace: z.string(),
  sensitivity: z.string().nullish(),
});

/** Nobody knows what stands in an annotation. */
const redacted = ({ metadata }: RemoteResource): Printable => ({
  metadata: { ...metadata, annotations: {} },
  yamlSpec: "'*** redacted ***'\n",
});

/** A log that cannot be read has the reason in its file. */
const services: Part = async (client, node) => {
  const found = await client.services({ node });
  const told = found.map(({ events, ...service }) => ({
    ...service,
    events: events.map((event) => ({ ...event, at: rfc3339(event.at) })),
  }));
  const logs = found.map(
    async ({ id }) => [`logs/${fileName(id)}.log`, await logOf(id, client, node)] as const,
  );
  return [["services.json", formatJson(told)], ...(await Promise.all(logs))];
};

async function logOf(id: string, client: Client, node: string): Promise<string> {
  const lines: string[] = [];
  try {
    for await (const line of client.logs({ id }, { node })) lines.push(`${line}\n`);
  } catch (error) {
    lines.push(`# ${reasonOf(error)}\n`);
  }
  return lines.join("");
}

/** What a node says ends up on the disk of somebody else. */
const fileName = (id: string): string => id.replace(/[^\w-]/g, "_");

const parts: readonly Part[] = [
  async (client, node) => [["version.json", formatJson(await client.version({ node }))]],
  async (client, node) => [["time.json", formatJson(await client.time({ node }))]],
  async (client, node) => [["dependencies.dot", await graphWithResources(client, node)]],
  services,
  resources,
];
