/** Says everything that is wrong with a configuration that is new here (talos-pki.md §4.2). */
import { ConfigInvalidError } from "../errors.ts";
import type { Inspection } from "../key-material.ts";
import { formatProblem } from "../problem.ts";
import { documentId, V1ALPHA1 } from "./documents.ts";
import type { Judgement, RuntimeMode, Subject } from "./judgement.ts";
import { isControlPlane } from "./load.ts";
import type { MachineConfig } from "./machine-config.ts";
import { documentRules } from "./rules/documents.ts";
import { judgeKeyMaterial } from "./rules/key-material.ts";
import { ownRules } from "./rules/names.ts";
import { networkRules } from "./rules/networks.ts";
import { missingType, talosRules, unknownType } from "./rules/talos.ts";

/** How strictly, and with what, a configuration is checked. */
export interface CheckOptions extends Inspection {
  /** Where Talos is to run; on metal it is told where to install itself. */
  readonly mode?: RuntimeMode;
  /** Warnings are errors. */
  readonly strict?: boolean;
}

/**
 * Checks a configuration: what Talos checks, in its words, and what it does not: certificates, keys,
 * names and tokens. Each line names file, line and field, and none has a value of a secret.
 *
 * @throws {ConfigInvalidError} naming every problem
 */
export async function checkMachineConfig(
  config: MachineConfig,
  { mode = "cloud", strict = false, ...inspection }: CheckOptions,
): Promise<{ readonly warnings: string[] }> {
  const subject = subjectOf(config, mode);
  if (subject === undefined) {
    const [document] = config.documents;
    const line = document?.positionOf(["machine"]).line ?? 1;
    throw new ConfigInvalidError([`${config.source}:${line}: machine instructions are required`]);
  }
  const typeProblem = unknownType(subject);
  if (typeProblem !== undefined) throw new ConfigInvalidError([format(config.source, typeProblem)]);
  const judged = [
    ...[...talosRules, ...documentRules, ...ownRules, ...networkRules].flatMap((rule) => [
      ...rule(subject),
    ]),
    ...(await judgeKeyMaterial(subject, inspection)),
  ];
  const line = (judgement: Judgement) => format(config.source, judgement);
  const errors = judged.filter(({ severity }) => severity === undefined).map(line);
  const warnings = judged.filter(({ severity }) => severity === "warning").map(line);
  // What a worker may not have is no news of a machine that nobody called a worker.
  if (errors.length > 0 && subject.machine.type === "")
    throw new ConfigInvalidError([format(config.source, missingType(subject))]);
  if (strict) errors.push(...warnings.map((warning) => `warning: ${warning}`));
  if (errors.length > 0) throw new ConfigInvalidError(errors);
  return { warnings };
}

function subjectOf(config: MachineConfig, mode: RuntimeMode): Subject | undefined {
  const { documents, v1alpha1 } = config;
  const document = documents.find(({ kind }) => kind === V1ALPHA1);
  const machine = v1alpha1?.machine;
  if (document === undefined || machine === undefined) return undefined;
  const cluster = v1alpha1?.cluster;
  return { config, mode, document, machine, cluster, isControlPlane: isControlPlane(machine.type) };
}

/** Fields of documents with a kind begin with it: `KubeAPIServerCAConfig.issuingCA.cert`. */
function format(source: string, { document, path, message }: Judgement): string {
  const { line } = document.positionOf(path);
  const above = document.kind === V1ALPHA1 ? [] : [documentId(document)];
  return formatProblem([...above, ...path], message, { source, line });
}
