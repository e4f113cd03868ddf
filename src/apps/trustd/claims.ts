/** Under which names and addresses members are on record, by host. */
import { canonicalAddress } from "#pki";
import { covers, EVERYBODYS, hostKey } from "./admission/names.ts";
import type { Holder } from "./admission/standing.ts";

interface Claim extends Holder {
  readonly hosts: readonly string[];
}

/** What members claim, each under an id of the claim. */
export class Claims {
  readonly #byId = new Map<string, Claim>();
  readonly #byHost = new Map<string, Set<string>>();

  /** Puts a claim in the place of the one before. */
  set(id: string, holder: Holder, names: readonly string[]): void {
    this.delete(id);
    const keys = names.map(hostKey).filter((key) => key !== "" && !EVERYBODYS.has(key));
    const claim = { ...holder, hosts: [...new Set(keys)] };
    this.#byId.set(id, claim);
    for (const host of claim.hosts) {
      const ids = this.#byHost.get(host) ?? new Set();
      this.#byHost.set(host, ids.add(id));
    }
  }

  delete(id: string): void {
    for (const host of this.#byId.get(id)?.hosts ?? []) {
      const ids = this.#byHost.get(host);
      ids?.delete(id);
      if (ids?.size === 0) this.#byHost.delete(host);
    }
    this.#byId.delete(id);
  }

  /** By their claims' ids: who holds the host, one that it stands for, or a wildcard that stands for it. */
  *holdersOf(host: string): Generator<readonly [id: string, holder: Holder]> {
    const hosts = host.startsWith("*.")
      ? [...this.#byHost.keys()].filter((held) => covers(host, held))
      : [host, ...wildcardOver(host)];
    for (const one of hosts)
      for (const id of this.#byHost.get(one) ?? []) {
        const claim = this.#byId.get(id);
        if (claim !== undefined) yield [id, claim];
      }
  }
}

/** The wildcard that stands for a name among others. */
function wildcardOver(host: string): readonly string[] {
  const dot = host.indexOf(".");
  return dot > 0 && canonicalAddress(host) === undefined ? [`*${host.slice(dot)}`] : [];
}
