/** How large files and functions are, what files are called, and what they export. */
import ts from "typescript";
import { complaint, nodesOf, referencesOf, type Rule, type Source } from "./source.ts";

export const FILE_LINES_MAX = 400;
export const FUNCTION_LINES_MAX = 60;

/** Splits before it is too long to be read. */
export const isOfOneSitting: Rule = ({ path, text }) => {
  const lines = text.trimEnd().split("\n").length;
  return lines <= FILE_LINES_MAX ? [] : [`${path} has ${lines} lines`];
};

/**
 * A function fits on a screen; its doc comment does not count. An arrow without a block is one
 * expression, a definition mostly: what is in it counts by itself.
 */
export const hasShortFunctions: Rule = (source) =>
  [...nodesOf(source.tree)].flatMap((node) => {
    if (!ts.isBlock(node) || !ts.isFunctionLike(node.parent)) return [];
    const start = node.parent.getStart(source.tree);
    const lines = lineOf(source, node.getEnd()) - lineOf(source, start) + 1;
    return lines <= FUNCTION_LINES_MAX
      ? []
      : complaint(source, node.parent, `has a function of ${lines} lines`);
  });

const lineOf = ({ tree }: Source, position: number) =>
  tree.getLineAndCharacterOfPosition(position).line;

const vague = /(^|-)(utils?|helpers?|commons?|managers?|misc)$/;

/** Files and folders are named after what is in them. */
export const hasTellingName: Rule = ({ path }) =>
  path
    .split("/")
    .map((segment) => segment.split(".")[0] ?? "")
    .filter((name) => vague.test(name))
    .map((name) => `${path} is called ${name}`);

/** Exports are named, and listed by hand where a folder is left. */
export const listsItsExports: Rule = (source) => [
  ...source.tree.statements.flatMap((node) =>
    isDefault(node) ? complaint(source, node, "has a default export") : [],
  ),
  ...referencesOf(source).flatMap(({ node, specifier = "" }) =>
    ts.isExportDeclaration(node) &&
    node.exportClause === undefined &&
    !/^\.\/[^/]+$/.test(specifier)
      ? complaint(source, node, `exports all of ${specifier}`)
      : [],
  ),
];

function isDefault(node: ts.Statement): boolean {
  if (ts.isExportAssignment(node)) return true;
  if (ts.isExportDeclaration(node) && node.exportClause && ts.isNamedExports(node.exportClause))
    return node.exportClause.elements.some(({ name }) => name.text === "default");
  const modifiers = ts.canHaveModifiers(node) ? (ts.getModifiers(node) ?? []) : [];
  return modifiers.some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword);
}
