/** Group commit: commits that arrive while others wait share one transaction of the journal. */
import type { Change } from "./change.ts";

/** What a commit did to the resources in memory, and what its caller gets. */
export interface Staged<T> {
  readonly changes: readonly Change[];
  readonly result: T;
}

/** What a group does with the changes of its members. */
export interface Steps {
  /** Makes them durable, all or, when it throws, none. */
  append(changes: readonly Change[]): void;
  /** Takes them back in memory. */
  undo(changes: readonly Change[]): void;
  /** Tells the world. */
  publish(commits: readonly (readonly Change[])[]): void;
}

interface Member {
  stage(): Staged<unknown>;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** Gathers commits until the code that runs has come to rest, then makes them durable together. */
export class CommitGroup {
  readonly #steps: Steps;
  #members: Member[] = [];

  constructor(steps: Steps) {
    this.#steps = steps;
  }

  /** Resolves when the commit is durable and everybody who watches has heard of it. */
  join<T>(stage: () => Staged<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#members.push({ stage, resolve, reject });
      if (this.#members.length === 1) afterThisTurn(() => this.flush());
    });
  }

  /**
   * Stages, stores and publishes in one go: nobody can look in between. A member that fails its
   * preconditions does not hurt the others; when storing fails, all of them fail.
   */
  flush(): void {
    const members = this.#members;
    this.#members = [];
    const commits: (readonly Change[])[] = [];
    const settle = members.map((member) => {
      try {
        const { changes, result } = member.stage();
        commits.push(changes);
        return () => member.resolve(result);
      } catch (error) {
        return () => member.reject(error);
      }
    });
    const changes = commits.flat();
    try {
      if (changes.length > 0) this.#steps.append(changes);
    } catch (error) {
      this.#steps.undo(changes);
      for (const member of members) member.reject(error);
      return;
    }
    this.#steps.publish(commits);
    for (const answer of settle) answer();
  }
}

/** Runs after all promises that can settle without the outside world have done so. */
const afterThisTurn = (run: () => void): void => {
  process.nextTick(() => {
    queueMicrotask(() => {
      process.nextTick(run);
    });
  });
};
