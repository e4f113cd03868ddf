/** What a store does, and nothing of how: cosi.md §2 on one kind, in a hundred lines. */

export interface Entry {
  readonly id: string;
  readonly version: number;
  readonly owner: string;
  readonly phase: "running" | "tearingDown";
  readonly finalizers: readonly string[];
  readonly tier: string; // its only label
}

export type Step =
  | (Omit<Entry, "version"> & { readonly op: "create" })
  | (Omit<Entry, "version"> & {
      readonly op: "update";
      readonly by: string; // who updates; `owner` is who owns it from then on
      readonly lag: number; // how many versions it comes too late
      readonly expectedPhase: "running" | "any";
    })
  | { readonly op: "destroy"; readonly id: string; readonly by: string }
  | { readonly op: "teardown"; readonly id: string; readonly by: string }
  | { readonly op: "hold"; readonly id: string; readonly finalizer: string }
  | { readonly op: "release"; readonly id: string; readonly finalizer: string }
  | { readonly op: "label"; readonly id: string; readonly by: string; readonly tier: string };

/** One change; the sides are those of the resource before and after. */
export interface Happened {
  readonly was: Entry | undefined;
  readonly is: Entry | undefined;
}

/** A refusal, by its code; or what is there then: the same, another, or nothing. */
type Outcome = string | Entry | undefined;

export class Model {
  readonly entries = new Map<string, Entry>();
  readonly log: Happened[] = [];

  /** Applies steps in order, all or none where that is promised. @returns a refusal, or "done" */
  commit(steps: readonly Step[], atomic: boolean): string {
    const [entries, length] = [[...this.entries], this.log.length];
    for (const step of steps) {
      const was = this.entries.get(step.id);
      const is = outcome(was, step);
      if (typeof is === "string") {
        if (atomic) this.#reset(entries, length);
        return is;
      }
      if (is === was) continue;
      if (is) this.entries.set(step.id, is);
      else this.entries.delete(step.id);
      this.log.push({ was, is });
    }
    return "done";
  }

  /** What is there, by id. */
  list(matches: (entry: Entry) => boolean): readonly Entry[] {
    const ids = [...this.entries.keys()].sort();
    return ids.map((id) => this.entries.get(id)).filter((entry) => entry && matches(entry)) as [];
  }

  /** The events of what happened, in lines, to one who sees what matches. */
  lines(matches: (entry: Entry) => boolean, from = 0): readonly string[] {
    return this.log.slice(from).flatMap(({ was, is }) => {
      const saw = was && matches(was) ? was : undefined;
      const sees = is && matches(is) ? is : undefined;
      if (saw && sees) return [`updated ${at(sees)} was ${at(saw)}`];
      if (sees) return [`created ${at(sees)}`];
      return saw ? [`destroyed ${at(is ?? saw)}`] : [];
    });
  }

  #reset(entries: readonly [string, Entry][], length: number): void {
    this.entries.clear();
    for (const [id, entry] of entries) this.entries.set(id, entry);
    this.log.length = length;
  }
}

const at = ({ id, version }: Entry): string => `${id}@${version}`;

function outcome(was: Entry | undefined, step: Step): Outcome {
  if (step.op === "create") {
    const { op: _, ...entry } = step;
    return was ? "ERR_ALREADY_EXISTS" : { ...entry, version: 1 };
  }
  if (!was) return "ERR_NOT_FOUND";
  const changed = (part: Partial<Entry>) => ({ ...was, ...part, version: was.version + 1 });
  if (step.op === "hold" || step.op === "release") {
    const { op, finalizer } = step;
    if (was.finalizers.includes(finalizer) === (op === "hold")) return was;
    const others = was.finalizers.filter((held) => held !== finalizer);
    return changed({ finalizers: op === "hold" ? [...others, finalizer] : others });
  }
  if (step.op === "teardown" && was.phase === "tearingDown") return was;
  if (step.op === "label") {
    if (was.phase !== "running") return "ERR_PHASE_CONFLICT"; // also where nothing would change
    if (was.tier === step.tier) return was;
  }
  if (was.owner !== step.by) return "ERR_OWNER_CONFLICT";
  if (step.op === "destroy")
    return was.finalizers.length > 0 ? "ERR_PENDING_FINALIZERS" : undefined;
  if (step.op === "teardown") return changed({ phase: "tearingDown" });
  if (step.op === "label") return changed({ tier: step.tier });
  if (step.lag > 0) return "ERR_VERSION_CONFLICT";
  if (step.expectedPhase !== "any" && was.phase !== "running") return "ERR_PHASE_CONFLICT";
  const { owner, phase, finalizers, tier } = step;
  return changed({ owner, phase, finalizers, tier });
}
