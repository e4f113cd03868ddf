/** Time and chance come in by {@link Clock} and {@link Random}; nothing else asks the machine. */
import ts from "typescript";
import { complaint, nodesOf, referencesOf, type Rule, type Source } from "./source.ts";

const draws = [
  "getRandomValues",
  "randomBytes",
  "randomFill",
  "randomFillSync",
  "randomInt",
  "randomUUID",
];
const globals = new Set(["setImmediate", "setInterval", "setTimeout"]);
const members = new Set([
  "AbortSignal.timeout",
  "Date.now",
  "Math.random",
  "performance.now",
  "process.hrtime",
]);
/** What not to take from a module; `*` is all of it. */
const imports: Readonly<Record<string, readonly string[]>> = {
  crypto: draws,
  timers: ["*"],
  "timers/promises": ["*"],
  // These ask the system's clock, unless they are given a scheduler.
  rxjs: ["asyncScheduler", "auditTime", "bufferTime", "debounceTime", "delay", "interval"].concat([
    "sampleTime",
    "throttleTime",
    "timeInterval",
    "timeout",
    "timer",
    "timestamp",
    "windowTime",
  ]),
};

/** Asks neither the time nor for chance, and sets no timer. */
export const asksNoClockNorDice: Rule = (source) => [
  ...referencesOf(source).flatMap(({ node, specifier = "", names, typeOnly }) => {
    const banned = typeOnly ? [] : (imports[specifier.replace(/^node:/, "")] ?? []);
    const taken = banned.includes("*") ? names : names.filter((name) => banned.includes(name));
    return taken.length === 0
      ? []
      : complaint(source, node, `takes ${taken.join(", ")} from ${specifier}`);
  }),
  ...[...nodesOf(source.tree)].flatMap((node) => {
    const what = bannedAt(node, source);
    return what === undefined ? [] : complaint(source, node, `uses ${what}`);
  }),
];

function bannedAt(node: ts.Node, { tree }: Source): string | undefined {
  if (ts.isNewExpression(node) && isDate(node.expression))
    return node.arguments?.length ? undefined : "new Date()";
  if (ts.isCallExpression(node) && isDate(node.expression)) return "Date()";
  if (ts.isPropertyAccessExpression(node)) {
    const name = node.name.text;
    const owner = node.expression.getText(tree).replace(/^globalThis\./, "");
    if (owner === "globalThis") return globals.has(name) ? name : undefined;
    if (draws.includes(name)) return `${owner}.${name}`;
    return members.has(`${owner}.${name}`) ? `${owner}.${name}` : undefined;
  }
  return ts.isIdentifier(node) && globals.has(node.text) && isUse(node) ? node.text : undefined;
}

const isDate = (node: ts.Node) => ts.isIdentifier(node) && node.text === "Date";

/** A name of a property or in a type is not the global of that name. */
function isUse(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isShorthandPropertyAssignment(parent)) return true;
  if (ts.isTypeQueryNode(parent) || ts.isImportSpecifier(parent)) return false;
  return !("name" in parent && parent.name === node);
}
