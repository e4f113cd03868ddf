/** What apid listens with at this moment, and when that follows from a configuration. */
import { X509Certificate } from "node:crypto";
import type { OSRoot } from "#config";
import { readCertificate } from "#pki";
import type { ApiCertificates } from "#resources";
import { CodedError, type DeepReadonly, type SpecOf } from "#runtime";

/** Identity and trust of a listener. */
export type Served = DeepReadonly<SpecOf<typeof ApiCertificates>>;

/** Keeps what is served, and tells those who wait for a change of it. */
export interface Serving {
  /** Called when the listener has taken it up. */
  set(served: Served): void;
  /** Resolves when what is served satisfies; the signal ends the wait. */
  until(satisfies: (served: Served) => boolean, signal: AbortSignal): Promise<void>;
}

/** Begins with nothing. */
export function serving(): Serving {
  let now: Served | undefined;
  const waiting = new Set<() => void>();
  return {
    set(served) {
      now = served;
      for (const look of [...waiting]) look();
    },
    until: (satisfies, signal) =>
      new Promise((resolve) => {
        const look = () => {
          if (!signal.aborted && !(now && satisfies(now))) return;
          waiting.delete(look);
          signal.removeEventListener("abort", look);
          resolve();
        };
        waiting.add(look);
        signal.addEventListener("abort", look);
        look();
      }),
  };
}

/** Tells whether identity and trust are those that a configuration asks for. */
export function follows({ server, acceptedCAs }: Served, { issuingCA, ...root }: OSRoot): boolean {
  const trusted = new Set(acceptedCAs.flatMap(({ crt }) => fingerprintOf(crt) ?? []));
  const wanted = new Set(root.acceptedCAs.flatMap(({ crt }) => fingerprintOf(crt) ?? []));
  if (![...wanted].every((each) => trusted.has(each))) return false;
  if (issuingCA === undefined) return true; // a worker also trusts whom control planes have told it of
  if (wanted.size !== trusted.size) return false;
  const leaf = new X509Certificate(server.crt);
  return leaf.verify(new X509Certificate(issuingCA.crt).publicKey);
}

/** None of one that cannot be read, which nobody trusts. */
function fingerprintOf(pem: string): string | undefined {
  try {
    return readCertificate(pem).fingerprint;
  } catch (error) {
    if (error instanceof CodedError) return undefined;
    throw error;
  }
}
