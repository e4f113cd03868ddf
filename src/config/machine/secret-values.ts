/** Takes secrets out of what is shown of a configuration. */
import {
  isTypedList,
  isTypedMap,
  isVerbatim,
  type TypedMap,
  type TypedValue,
} from "../yaml/read.ts";

/** Keys whose values, and all that is below them, are not shown. */
const secretKey =
  /(?:key|token|secret|(?<!by)pass|password|passphrase|credentials?|auth|hmac|psk|env|environment|content|contents|data)$/i;
/** The same for several; mappings in a list say by their own keys what they hold. */
const secretKeys = /(?:keys|tokens|secrets|passwords)$/i;
/** Keys that end like one of those and hold nothing secret. */
const publicKey = /public|^(?:authorityKey|keys?Size)$/i;

/** Texts that are a secret wherever they stand. */
const secretTexts: readonly ((text: string) => boolean)[] = [
  (text) => text.includes("PRIVATE KEY"),
  (text) => /:\/\/[^/\s@]*:[^/\s@]*@/.test(text), // a password in a URL
  (text) => /(?:pass|password|passphrase|token|secret|key)=./i.test(text), // of a kernel, in a query
  (text) => /^[a-z0-9]{6}\.[a-z0-9]{16}$/.test(text), // a token of Kubernetes
  isOpaque,
];

/** Long and without words, as keys are, and no certificate. */
function isOpaque(text: string): boolean {
  const joined = text.replace(/\s/g, "");
  if (!/^[\w+/=-]{20,}$/.test(joined) || !/\d/.test(joined) || !/[a-z]/i.test(joined)) return false;
  const decoded = Buffer.from(joined, "base64").toString("latin1");
  return !decoded.includes("-----BEGIN CERTIFICATE") || decoded.includes("PRIVATE KEY");
}

/** Every text of a document that is not shown. */
export function secretValues(document: TypedMap): ReadonlySet<string> {
  const found = new Set<string>();
  replaceSecrets(document, (text) => {
    found.add(text);
    return text;
  });
  return found;
}

const isNameOfSecret = (key: string, held: TypedValue): boolean =>
  !publicKey.test(key) &&
  (secretKey.test(key) ||
    (secretKeys.test(key) && !(isTypedList(held) && held.every((item) => isTypedMap(item)))));

/** A copy of a document in which each secret is what `replace` makes of it. */
export const replaceSecrets = (document: TypedMap, replace: (text: string) => string): TypedMap =>
  replaced(document, replace, false) as TypedMap;

function replaced(
  value: TypedValue,
  replace: (text: string) => string,
  isSecret: boolean,
): TypedValue {
  if (isTypedList(value)) return value.map((item) => replaced(item, replace, isSecret));
  if (isTypedMap(value))
    return Object.fromEntries(
      Object.entries(value).map(([key, held]) => {
        const below = isSecret || isNameOfSecret(key, held);
        return [key, replaced(held, replace, below)];
      }),
    );
  if (value === null || typeof value === "boolean") return value;
  const text = isVerbatim(value) ? value.source : String(value);
  return text !== "" && (isSecret || secretTexts.some((test) => test(text)))
    ? replace(text)
    : value;
}
