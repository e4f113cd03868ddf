/** Certificate policies as YAML: what a person writes is the spec of the resource. */
import { compilePolicy, type CompiledPolicy, type Policy, PolicyInvalidError } from "#pki";
import { isTypedMap, readTypedYaml, YamlError } from "./yaml/read.ts";
import { writeYaml } from "./yaml/write.ts";

/** A policy that was read. */
export interface PolicyDocument {
  /** Empty where it has none. */
  readonly description: string;
  readonly compiled: CompiledPolicy;
}

/**
 * Reads a policy; what is left out is as in the default one.
 *
 * @param source names the file in errors
 * @throws {PolicyInvalidError} naming what is wrong, and where
 */
export function readPolicy(text: string, source = "the policy"): PolicyDocument {
  const document = documentIn(text, source);
  const { description = "" } = document;
  if (typeof description !== "string")
    throw new PolicyInvalidError("description", "it has to be a text");
  return { description, compiled: compilePolicy(document) };
}

function documentIn(text: string, source: string) {
  try {
    const [document, ...others] = readTypedYaml(text);
    if (others.length > 0)
      throw new PolicyInvalidError(source, "it holds several documents, and one is wanted");
    if (isTypedMap(document)) return document;
    throw new PolicyInvalidError(source, "it has to be a mapping, with profiles in it");
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    throw new PolicyInvalidError(source, error.message);
  }
}

/** Writes a policy; {@link readPolicy} reads it back. */
export const writePolicy = (policy: Policy & { readonly description?: string }): string =>
  writeYaml({
    ...(policy.description !== undefined && { description: policy.description }),
    profiles: Object.fromEntries(
      Object.entries(policy.profiles).map(([name, rules]) => [name, { ...rules }]),
    ),
  });
