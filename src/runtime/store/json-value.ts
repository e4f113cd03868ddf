/**
 * Freezing and comparing of specs. Unlike immer's `freeze`, this looks below what is frozen already:
 * a schema's `readonly()` freezes the top only.
 */

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Freezes a JSON value in depth, in place. A property that is `undefined` counts as absent.
 *
 * @param known a value that was frozen by this before; what the two share is not looked at again
 * @returns the path of the first part that JSON does not have, such as `.names[2]`
 */
export function freezeJson(value: unknown, known?: unknown): string | undefined {
  switch (typeof value) {
    case "string":
    case "boolean":
    case "undefined":
      return undefined;
    case "number":
      return Number.isFinite(value) ? undefined : "";
    case "object":
      if (value === null || value === known) return undefined;
      return Array.isArray(value)
        ? freezeArray(value, Array.isArray(known) ? known : [])
        : freezeObject(value, isObject(known) ? known : {});
    default:
      return "";
  }
}

function freezeArray(array: readonly unknown[], known: readonly unknown[]): string | undefined {
  for (let i = 0; i < array.length; i++) {
    const odd = array[i] === undefined ? "" : freezeJson(array[i], known[i]);
    if (odd !== undefined) return `[${i}]${odd}`;
  }
  Object.freeze(array);
  return undefined;
}

function freezeObject(object: object, known: JsonObject): string | undefined {
  const prototype: unknown = Object.getPrototypeOf(object);
  if (prototype !== Object.prototype && prototype !== null) return "";
  for (const key of Object.keys(object)) {
    const odd = freezeJson((object as JsonObject)[key], known[key]);
    if (odd !== undefined) return `.${key}${odd}`;
  }
  Object.freeze(object);
  return undefined;
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Tells whether two JSON values are equal; a property that is `undefined` counts as absent. */
export function equalJson(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (Array.isArray(left))
    return (
      Array.isArray(right) &&
      left.length === right.length &&
      left.every((value, i) => equalJson(value, right[i]))
    );
  if (!isObject(left) || !isObject(right)) return false;
  let surplus = 0;
  for (const key of Object.keys(right)) if (right[key] !== undefined) surplus += 1;
  for (const key of Object.keys(left)) {
    const value = left[key];
    if (value === undefined) continue;
    if (!Object.hasOwn(right, key) || !equalJson(value, right[key])) return false;
    surplus -= 1;
  }
  return surplus === 0;
}
