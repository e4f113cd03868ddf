/**
 * Freezing of specs. Unlike immer's `freeze`, this looks below what is frozen already: a schema's
 * `readonly()` freezes the top only.
 */

/**
 * Freezes a JSON value in depth, in place. A property that is `undefined` counts as absent.
 *
 * @returns the path of the first part that JSON does not have, such as `.names[2]`
 */
export function freezeJson(value: unknown): string | undefined {
  switch (typeof value) {
    case "string":
    case "boolean":
    case "undefined":
      return undefined;
    case "number":
      return Number.isFinite(value) ? undefined : "";
    case "object":
      if (value === null) return undefined;
      return Array.isArray(value) ? freezeArray(value) : freezeObject(value);
    default:
      return "";
  }
}

function freezeArray(array: readonly unknown[]): string | undefined {
  for (let i = 0; i < array.length; i++) {
    const odd = array[i] === undefined ? "" : freezeJson(array[i]);
    if (odd !== undefined) return `[${i}]${odd}`;
  }
  Object.freeze(array);
  return undefined;
}

function freezeObject(object: object): string | undefined {
  const prototype: unknown = Object.getPrototypeOf(object);
  if (prototype !== Object.prototype && prototype !== null) return "";
  for (const key of Object.keys(object)) {
    const odd = freezeJson((object as Record<string, unknown>)[key]);
    if (odd !== undefined) return `.${key}${odd}`;
  }
  Object.freeze(object);
  return undefined;
}
