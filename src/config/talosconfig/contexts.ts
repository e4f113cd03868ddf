/** Changes to a talosconfig; each gives a new one (talos-pki.md §3.6). */
import { organizations, readCertificate } from "#pki";
import type { Instant } from "#runtime";
import { TalosContextError } from "../errors.ts";
import type { TalosContext, Talosconfig } from "./talosconfig.ts";

/** A context that came in under another name, because its own was taken. */
export interface Rename {
  readonly from: string;
  readonly to: string;
}

/**
 * Takes over the contexts of another talosconfig, and its current one. A name that is taken gets
 * `-1`, `-2` … at its end.
 */
export function mergeTalosconfigs(
  into: Talosconfig,
  from: Talosconfig,
): { readonly config: Talosconfig; readonly renamed: readonly Rename[] } {
  const contexts: Record<string, TalosContext> = { ...into.contexts };
  const names = new Map<string, string>();
  for (const [name, context] of Object.entries(from.contexts)) {
    const free = freeName(name, contexts);
    contexts[free] = context;
    names.set(name, free);
  }
  const renamed = [...names].filter(([name, to]) => name !== to);
  return {
    config: { context: names.get(from.context) ?? into.context, contexts },
    renamed: renamed.map(([name, to]) => ({ from: name, to })),
  };
}

function freeName(name: string, taken: Readonly<Record<string, unknown>>): string {
  if (!Object.hasOwn(taken, name)) return name;
  for (let n = 1; ; n++) if (!Object.hasOwn(taken, `${name}-${n}`)) return `${name}-${n}`;
}

/**
 * Adds a context; the current one stays.
 *
 * @throws {TalosContextError} when the name is taken, or only one of crt and key is given
 */
export function addTalosContext(
  config: Talosconfig,
  name: string,
  context: TalosContext,
): Talosconfig {
  if (Object.hasOwn(config.contexts, name))
    throw new TalosContextError(
      `context ${JSON.stringify(name)} exists already; choose another name`,
    );
  if ((context.crt === undefined) !== (context.key === undefined))
    throw new TalosContextError("a certificate and its key belong together: give both, or neither");
  return { ...config, contexts: { ...config.contexts, [name]: context } };
}

/** What a context's certificate says of its holder. */
export interface ContextInfo {
  readonly roles: readonly string[];
  readonly notAfter: Instant;
}

/**
 * Reads the certificate of a context; undefined where it has none.
 *
 * @throws {PemError} {@link PemLabelError} {@link CertificateParseError} when it is not a certificate
 */
export function infoOfContext({ crt }: TalosContext, source?: string): ContextInfo | undefined {
  if (crt === undefined || crt === "") return undefined;
  const { subject, notAfter } = readCertificate(crt, source);
  const roles = organizations(subject).filter((role) => role !== ""); // very old ones have an empty one
  return { roles: [...roles].sort(), notAfter };
}
