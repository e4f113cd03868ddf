/** Stored texts may be damaged: one that cannot be read counts as not there, and holds back nothing else. */
import { type Certificate, type KeyedPem, readCertificate, readKeyed } from "#pki";
import { CodedError } from "#runtime";

/** What `read` returns; undefined when the text cannot be read. */
export function readable<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof CodedError) return undefined;
    throw error;
  }
}

/** The certificate in a text; undefined when none can be read. */
export const certificateIn = (crt: string): Certificate | undefined =>
  readable(() => readCertificate(crt));

/** Whether a certificate can be read, and its key too, and they belong together. */
export const isUsable = (pem: KeyedPem | null | undefined): pem is KeyedPem =>
  pem != null && isPair(pem);

const isPair = remembered((pem: KeyedPem) => readable(() => readKeyed(pem).keyMatches) ?? false);

/** What `look` makes of an object that never changes, as those in resources are; it looks once. */
export function remembered<Key extends object, Value>(
  look: (key: Key) => Value,
): (key: Key) => Value {
  const known = new WeakMap<Key, { readonly value: Value }>();
  return (key) => {
    const before = known.get(key);
    if (before !== undefined) return before.value;
    const value = look(key);
    known.set(key, { value });
    return value;
  };
}

/** Those authorities that can be read: a server that is given another one does not start. */
export const readableOnes = <Pem extends { readonly crt: string }>(list: readonly Pem[]): Pem[] =>
  list.filter(({ crt }) => certificateIn(crt) !== undefined);
