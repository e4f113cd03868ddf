/** The rules that the list of controllers has to keep (cosi.md §6.2). */
import type { Controller } from "../controller.ts";
import { RegistrationError } from "../errors.ts";
import { kindKeyOf } from "./lane.ts";

/** Who writes a type, and whether anybody else may. */
interface Writers {
  readonly sharing: "exclusive" | "shared";
  readonly names: string[];
}

/**
 * Checks the whole list before anything runs.
 *
 * @param reserved types that the engine itself writes, by the name of their owner
 * @throws {RegistrationError} naming the controllers that do not go together
 */
export function checkRegistration(
  controllers: readonly Controller[],
  reserved: Readonly<Record<string, string>>,
): void {
  const names = new Set(Object.keys(reserved));
  const writers = new Map<string, Writers>(
    Object.entries(reserved).map(([name, type]) => [type, { sharing: "exclusive", names: [name] }]),
  );
  for (const controller of controllers) {
    if (controller.name === "") throw new RegistrationError("a controller has no name");
    if (names.has(controller.name))
      throw new RegistrationError(`controller ${quoted(controller.name)} already registered`);
    names.add(controller.name);
    checkShape(controller);
    checkInputs(controller);
    checkOutputs(controller, writers);
  }
}

const quoted = (text: string): string => JSON.stringify(text);

/**
 * Checks one controller by itself.
 *
 * @throws {RegistrationError} saying what it lacks
 */
export function checkShape({
  name,
  reconcile,
  run,
  inputs,
  concurrency,
  ...hooks
}: Controller): void {
  if ((reconcile === undefined) === (run === undefined))
    throw new RegistrationError(`controller ${quoted(name)} needs either reconcile or run`);
  if (!Number.isInteger(concurrency) || concurrency < 1)
    throw new RegistrationError(`controller ${quoted(name)}: invalid concurrency: ${concurrency}`);
  const queued = Object.values(inputs).filter(({ mode }) => mode === "each").length;
  if (queued > 1)
    throw new RegistrationError(`controller ${quoted(name)} has more than one input with each()`);
  if (queued === 1 && run !== undefined)
    throw new RegistrationError(`controller ${quoted(name)}: each() is not for run`);
  if (run !== undefined && (hooks.runHook ?? hooks.shutdownHook) !== undefined)
    throw new RegistrationError(`controller ${quoted(name)}: hooks are for those with reconcile`);
}

/**
 * Checks the inputs of one controller: the same resource, or the same kind without a query, is an
 * input only once, and what is only seen when it has no finalizers cannot get one.
 *
 * @throws {RegistrationError} naming the inputs
 */
export function checkInputs({ name, inputs }: Pick<Controller, "name" | "inputs">): void {
  const seen = new Map<string, string>();
  for (const [key, input] of Object.entries(inputs)) {
    if (input.strong && input.destroyReady)
      throw new RegistrationError(
        `controller ${quoted(name)}: input ${quoted(key)} cannot be strong and destroy-ready`,
      );
    if (input.query !== undefined) continue;
    const { namespace, id } = input;
    const address = `${kindKeyOf({ namespace, type: input.kind.type })} ${id ?? "*"}`;
    const other = seen.get(address);
    if (other !== undefined)
      throw new RegistrationError(
        `controller ${quoted(name)}: duplicate controller input: ` +
          `${quoted(other)} and ${quoted(key)} are both ${input.kind.type}`,
      );
    seen.set(address, key);
  }
}

function checkOutputs({ name, outputs }: Controller, writers: Map<string, Writers>): void {
  for (const { kind, sharing } of Object.values(outputs)) {
    const { type } = kind;
    const held = writers.get(type);
    const [first = ""] = [...(held?.names ?? [])].sort();
    if (held && (held.sharing === "exclusive" || sharing === "exclusive"))
      throw new RegistrationError(
        `controller ${quoted(name)}: resource ${quoted(type)} is already managed in ` +
          `${held.sharing} mode by ${quoted(first)}`,
      );
    if (held?.names.includes(name))
      throw new RegistrationError(
        `duplicate shared controller output: ${quoted(type)} -> ${quoted(name)}`,
      );
    if (held) held.names.push(name);
    else writers.set(type, { sharing, names: [name] });
  }
}
