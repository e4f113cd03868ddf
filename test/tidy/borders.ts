/** Who may import whom. The folders of `src` are layers; what crosses a border says so in its import. */
import { posix } from "node:path";
import { complaint, referencesOf, type Reference, type Rule, type Source } from "./source.ts";

interface Layer {
  /** Our own modules that it may import: all of each, its types only, or the names listed. */
  readonly ours: Readonly<Record<string, "all" | "types" | ReadonlySet<string>>> | "everything";
  /** Packages, and modules of Node.js, that it does without. */
  readonly without: readonly string[];
}

const outside = [
  "child_process",
  "dgram",
  "dns",
  "fs",
  "http",
  "http2",
  "https",
  "net",
  "timers",
  "tls",
  "worker_threads",
  "@grpc/grpc-js",
];

/** @param pkiWords the names of `#runtime` that a pure library of certificates has a use for */
export const layersOf = (pkiWords: ReadonlySet<string>): Readonly<Record<string, Layer>> => ({
  runtime: { ours: {}, without: [] },
  pki: { ours: { "#runtime": pkiWords }, without: [...outside, "rxjs"] },
  config: { ours: { "#runtime": "all", "#pki": "all" }, without: outside },
  resources: {
    ours: { "#runtime": "all", "#pki": "types" },
    without: [...outside, "crypto", "rxjs"],
  },
  controllers: {
    ours: { "#runtime": "all", "#resources": "all", "#pki": "all", "#config": "all" },
    without: [...outside, "crypto"],
  },
  apps: { ours: "everything", without: [] },
});

/** The names that the index of a folder passes on from these files beside it. */
export function namesPassedOn(index: Source, files: readonly string[]): ReadonlySet<string> {
  const from = new Set(files.map((file) => `./${file}.ts`));
  const passed = referencesOf(index).filter(({ specifier }) => from.has(specifier ?? ""));
  return new Set(passed.flatMap(({ names }) => names));
}

const folderOf = (path: string) => path.split("/")[1] ?? "";
const isRelative = (specifier: string) => specifier.startsWith(".");
const target = (source: Source, specifier: string) =>
  posix.join(posix.dirname(source.path), specifier);

/** A folder imports only what its row in the table allows. */
export const keepsToItsLayer =
  (layers: Readonly<Record<string, Layer>>): Rule =>
  (source) => {
    const folder = folderOf(source.path);
    const layer = layers[folder];
    if (layer === undefined) return [`${source.path} is in no layer`];
    return referencesOf(source)
      .filter((reference) => !allows(layer, folder, reference))
      .map(({ node, specifier, names }) => {
        const what = specifier ?? "something that is computed";
        return complaint(source, node, `${folder} may not import ${names.join(", ")} of ${what}`);
      });
  };

function allows({ ours, without }: Layer, folder: string, reference: Reference): boolean {
  const { specifier, names, typeOnly } = reference;
  if (ours === "everything") return true;
  if (specifier === undefined) return false;
  if (isRelative(specifier) || specifier.split("/")[0] === `#${folder}`) return true; // no border
  if (!specifier.startsWith("#")) {
    const name = specifier.replace(/^node:/, "");
    return !without.some((banned) => name === banned || name.startsWith(`${banned}/`));
  }
  const allowed = ours[specifier];
  if (allowed === undefined) return false;
  if (allowed === "types") return typeOnly;
  return allowed === "all" || names.every((name) => allowed.has(name));
}

/** Across folders an import begins with `#`, inside a folder it is relative. */
export const showsItsBorders: Rule = (source) => {
  const folder = folderOf(source.path);
  return referencesOf(source).flatMap(({ node, specifier }) => {
    if (specifier === undefined) return [];
    if (isRelative(specifier) && !target(source, specifier).startsWith(`src/${folder}/`))
      return complaint(source, node, `leaves ${folder} by ${specifier}, and not by a #… import`);
    if (specifier.split("/")[0] === `#${folder}`)
      return complaint(source, node, `stays in ${folder} by ${specifier}, and not by a path`);
    if (specifier.split("/")[0] === "trustplane")
      return complaint(source, node, `imports ${specifier} as if it were installed`);
    return [];
  });
};

/**
 * Controllers meet only through resources: `controllers/<group>/<kind>.ts` imports no other file of
 * a group. Words that several need stand in `controllers/<word>.ts`, where no controller is.
 */
export const knowsNoOtherController: Rule = (source) => {
  if (folderOf(source.path) !== "controllers" || posix.basename(source.path) === "index.ts")
    return [];
  const shared = posix.dirname(source.path) === "src/controllers";
  return referencesOf(source).flatMap(({ node, specifier, names }) => {
    if (shared && specifier === "#runtime" && names.includes("defineController"))
      return complaint(source, node, "defines a controller outside the folder of a group");
    if (specifier === undefined || !isRelative(specifier)) return [];
    const path = target(source, specifier);
    return posix.dirname(path) === "src/controllers" && posix.basename(path) !== "index.ts"
      ? []
      : complaint(source, node, `a controller may not import ${specifier}`);
  });
};

/** An awkward dependency has one door: all files that import `name`. */
export const doorsTo = (name: string, sources: readonly Source[]): string[] =>
  sources
    .filter((source) => referencesOf(source).some(({ specifier }) => specifier === name))
    .map(({ path }) => path);
