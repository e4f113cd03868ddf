/** The source as data: files, and what they refer to, read with the TypeScript parser. */
import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import ts from "typescript";

/** One file; `path` counts from the root of the repository and has forward slashes. */
export interface Source {
  readonly path: string;
  readonly text: string;
  readonly tree: ts.SourceFile;
}

/** Tells what one file does wrong: nothing, or one line for each place. */
export type Rule = (source: Source) => readonly string[];

export function parse(path: string, text: string): Source {
  return { path, text, tree: ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true) };
}

/**
 * All TypeScript below `folders`, except generated code.
 *
 * @throws {Error} when there is none, for then nothing was looked at
 */
export function readSources(root: string, folders: readonly string[]): Source[] {
  const paths = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .map((path) => posix.join(folder, path.replaceAll("\\", "/")))
      .filter((path) => path.endsWith(".ts") && !path.split("/").includes("gen")),
  );
  if (paths.length === 0) throw new Error(`no TypeScript file in ${folders.join(", ")} of ${root}`);
  return paths.sort().map((path) => parse(path, readFileSync(join(root, path), "utf8")));
}

/** A complaint about `node`, with the place where an editor finds it. */
export function complaint(source: Source, node: ts.Node, what: string): string {
  const { line } = source.tree.getLineAndCharacterOfPosition(node.getStart(source.tree));
  return `${source.path}:${line + 1} ${what}`;
}

/** Every node of the file, parents first. */
export function* nodesOf(node: ts.Node): Generator<ts.Node> {
  yield node;
  const children: ts.Node[] = [];
  ts.forEachChild(node, (child) => void children.push(child));
  for (const child of children) yield* nodesOf(child);
}

/** One mention of another module, by import, re-export, `import()` or `import("…")` as a type. */
export interface Reference {
  readonly node: ts.Node;
  /** Missing where it is computed. */
  readonly specifier: string | undefined;
  /** The names that are taken from the module; `*` for all of them. */
  readonly names: readonly string[];
  readonly typeOnly: boolean;
}

export function referencesOf(source: Source): Reference[] {
  return [...nodesOf(source.tree)].flatMap((node) => referenceAt(node) ?? []);
}

function referenceAt(node: ts.Node): Reference | undefined {
  if (ts.isImportDeclaration(node)) {
    const bindings = node.importClause?.namedBindings;
    const named = bindings && ts.isNamedImports(bindings) ? bindings.elements : undefined;
    const whole = node.importClause?.name ? ["default"] : named ? [] : ["*"];
    return {
      node,
      specifier: literal(node.moduleSpecifier),
      names: [...whole, ...namesIn(named)],
      typeOnly:
        node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword ||
        (whole.length === 0 && areTypes(named)),
    };
  }
  if (ts.isExportDeclaration(node) && node.moduleSpecifier) {
    const clause = node.exportClause;
    const named = clause && ts.isNamedExports(clause) ? clause.elements : undefined;
    return {
      node,
      specifier: literal(node.moduleSpecifier),
      names: named ? namesIn(named) : ["*"],
      typeOnly: node.isTypeOnly || areTypes(named),
    };
  }
  if (ts.isImportTypeNode(node)) {
    const argument = ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined;
    const name = node.qualifier?.getText().split(".")[0] ?? "*";
    return { node, specifier: literal(argument), names: [name], typeOnly: true };
  }
  if (ts.isCallExpression(node) && isLoad(node.expression))
    return { node, specifier: literal(node.arguments[0]), names: ["*"], typeOnly: false };
  return undefined;
}

const isLoad = (callee: ts.Expression) =>
  callee.kind === ts.SyntaxKind.ImportKeyword ||
  (ts.isIdentifier(callee) && callee.text === "require");

const literal = (node: ts.Node | undefined) =>
  node && ts.isStringLiteralLike(node) ? node.text : undefined;

type Specifiers = readonly (ts.ImportSpecifier | ts.ExportSpecifier)[];

const namesIn = (specifiers: Specifiers = []) =>
  specifiers.map((specifier) => (specifier.propertyName ?? specifier.name).text);

const areTypes = (specifiers: Specifiers = []) =>
  specifiers.length > 0 && specifiers.every((specifier) => specifier.isTypeOnly);
