/** Patterns of a policy, read once and then asked often: texts, host names, addresses. */
import { addressOctets, isDnsName } from "../address.ts";
import { PolicyInvalidError } from "../errors.ts";

/** Tells whether a value is meant. */
export type Matcher = (value: string) => boolean;

/** Texts, in which `*` stands for any text. */
export function textMatcher(patterns: readonly string[]): Matcher {
  const exact = new Set(patterns.filter((pattern) => !pattern.includes("*")));
  const others = patterns.filter((pattern) => pattern.includes("*")).map(glob);
  return (value) => exact.has(value) || others.some((matches) => matches(value));
}

/** In time that grows with the value and no faster. */
function glob(pattern: string): Matcher {
  const [first = "", ...parts] = pattern.split("*");
  const last = parts.pop() ?? "";
  return (value) => {
    if (value.length < first.length + last.length) return false;
    if (!value.startsWith(first) || !value.endsWith(last)) return false;
    const end = value.length - last.length;
    let from = first.length;
    return parts.every((part) => {
      const at = value.indexOf(part, from);
      from = at + part.length;
      return at >= 0 && from <= end;
    });
  };
}

/**
 * Host names: exact, `*.example.com` for every name with one label more, `*` for any. What is no host
 * name matches nothing.
 *
 * @throws {PolicyInvalidError} when a pattern is none
 */
export function hostMatcher(patterns: readonly string[], path: string): Matcher {
  for (const [index, pattern] of patterns.entries())
    if (pattern !== "*" && !isDnsName(pattern))
      throw new PolicyInvalidError(
        `${path}[${index}]`,
        `${JSON.stringify(pattern)} is no host name, none behind "*.", and not "*"`,
      );
  if (patterns.includes("*")) return isDnsName;
  const known = new Set(patterns.map((pattern) => pattern.toLowerCase()));
  return (value) => {
    if (!isDnsName(value)) return false;
    const name = value.toLowerCase();
    return known.has(name) || known.has(`*${name.slice(name.indexOf("."))}`);
  };
}

interface Range {
  readonly octets: Uint8Array;
  readonly bits: number;
}

/**
 * Addresses: themselves, or CIDRs that they lie in.
 *
 * @throws {PolicyInvalidError} when a pattern is neither
 */
export function addressMatcher(patterns: readonly string[], path: string): Matcher {
  const ranges = patterns.map((pattern, index) => {
    const range = rangeOf(pattern);
    if (range === undefined)
      throw new PolicyInvalidError(
        `${path}[${index}]`,
        `${JSON.stringify(pattern)} is neither an address nor a CIDR`,
      );
    return range;
  });
  return (value) => {
    const octets = addressOctets(value);
    return octets !== undefined && ranges.some((range) => contains(range, octets));
  };
}

function rangeOf(text: string): Range | undefined {
  const [address = "", length, ...more] = text.split("/");
  const octets = addressOctets(address);
  if (octets === undefined || more.length > 0) return undefined;
  if (length === undefined) return { octets, bits: 8 * octets.length };
  const bits = /^(?:0|[1-9]\d{0,2})$/.test(length) ? Number(length) : Infinity;
  return bits > 8 * octets.length ? undefined : { octets, bits };
}

function contains({ octets, bits }: Range, address: Uint8Array): boolean {
  if (octets.length !== address.length) return false;
  return octets.every((octet, index) => {
    const left = bits - 8 * index;
    if (left <= 0) return true;
    const mask = left >= 8 ? 0xff : (0xff << (8 - left)) & 0xff;
    return (octet & mask) === ((address[index] ?? 0) & mask);
  });
}
