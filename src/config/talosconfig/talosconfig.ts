/** talosconfig: how clients reach the Talos API, and who they are (talos-pki.md §3.6). */
import { z } from "zod";
import { TalosconfigParseError } from "../errors.ts";
import { decodePem, encodePem, isBase64 } from "../pem-text.ts";
import { formatPath } from "../problem.ts";
import { type FieldPath, readYaml, YamlError, type YamlDocument } from "../yaml/read.ts";
import { type Writable, writeYaml } from "../yaml/write.ts";

/** One cluster, and one identity there. */
export interface TalosContext {
  /** Addresses of control planes; the port is 50000 where none is named. */
  readonly endpoints: readonly string[];
  /** Default targets. */
  readonly nodes?: readonly string[];
  /** PEM, one authority or more; the system's own where absent. */
  readonly ca?: string;
  /** PEM. */
  readonly crt?: string;
  /** PEM. */
  readonly key?: string;
  readonly auth?: {
    readonly basic?: { readonly username: string; readonly password: string };
    readonly siderov1?: { readonly identity: string };
  };
  /** Of a multi-cluster proxy. */
  readonly cluster?: string;
  readonly proxyUrl?: string;
}

/** The file. */
export interface Talosconfig {
  /** The name of the current context; empty where there is none. */
  readonly context: string;
  readonly contexts: Readonly<Record<string, TalosContext>>;
}

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? "");
const texts = z
  .array(z.string())
  .nullish()
  .transform((list) => list ?? []);
const pem = text.refine(isBase64, { error: "is not base64" }).transform(decodePem);

const contextSchema = z.looseObject({
  target: text,
  endpoints: texts,
  nodes: texts,
  ca: pem,
  crt: pem,
  key: pem,
  auth: z
    .looseObject({
      basic: z.looseObject({ username: text, password: text }).optional(),
      siderov1: z.looseObject({ identity: text }).optional(),
    })
    .nullish(),
  cluster: text,
  "proxy-url": text,
});
const fileSchema = z.looseObject({
  context: text,
  contexts: z
    .record(z.string(), contextSchema.nullish())
    .nullish()
    .transform((map) => map ?? {}),
});

/**
 * Reads a talosconfig; an empty file is one without contexts.
 *
 * @param source names the file in errors
 * @throws {TalosconfigParseError} with file and line
 */
export function readTalosconfig(file: string, source = "the talosconfig"): Talosconfig {
  const document = open(file, source);
  const parsed = fileSchema.safeParse(document?.value ?? {});
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => {
      const path = issue.path as FieldPath;
      const line = document?.positionOf(path).line ?? 1;
      const problem = issue.code === "invalid_type" ? "has the wrong shape" : issue.message;
      return `${source}:${line}: ${formatPath(path) || "the file"}: ${problem}`;
    });
    throw new TalosconfigParseError(lines.join("\n"));
  }
  const contexts = Object.entries(parsed.data.contexts).flatMap(([name, context]) =>
    context ? [[name, contextOf(context)] as const] : [],
  );
  return { context: parsed.data.context, contexts: Object.fromEntries(contexts) };
}

function open(file: string, source: string): YamlDocument | undefined {
  try {
    return readYaml(file)[0];
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    const { line, column } = error.position;
    throw new TalosconfigParseError(`${source}:${line}:${column}: ${error.message}`);
  }
}

function contextOf(read: z.output<typeof contextSchema>): TalosContext {
  const { target, endpoints, nodes, ca, crt, key, auth, cluster } = read;
  const proxyUrl = read["proxy-url"];
  return {
    endpoints: target === "" ? endpoints : [...endpoints, target],
    ...(nodes.length > 0 && { nodes }),
    ...(ca !== "" && { ca }),
    ...(crt !== "" && { crt }),
    ...(key !== "" && { key }),
    ...(auth && {
      auth: {
        ...(auth.basic && { basic: { ...auth.basic } }),
        ...(auth.siderov1 && { siderov1: { ...auth.siderov1 } }),
      },
    }),
    ...(cluster !== "" && { cluster }),
    ...(proxyUrl !== "" && { proxyUrl }),
  };
}

/** Writes a talosconfig as Talos does, contexts by name; it is secret as a whole. */
export function writeTalosconfig({ context, contexts }: Talosconfig): string {
  const names = Object.keys(contexts).sort();
  const written = names.map((name) => [name, writableOf(contexts[name])] as const);
  return writeYaml({ context, contexts: Object.fromEntries(written) });
}

function writableOf(context: TalosContext | undefined): Writable {
  const { endpoints = [], nodes = [], ca, crt, key, auth, cluster, proxyUrl } = context ?? {};
  const encoded = (text: string | undefined) => (text === undefined ? undefined : encodePem(text));
  return {
    endpoints,
    nodes: nodes.length === 0 ? undefined : nodes,
    ca: encoded(ca),
    crt: encoded(crt),
    key: encoded(key),
    auth: auth && { basic: auth.basic, siderov1: auth.siderov1 },
    cluster,
    "proxy-url": proxyUrl,
  };
}
