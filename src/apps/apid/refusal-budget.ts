/** Keeps who may do nothing from filling the audit log: refusals beyond a rate share a line. */
import { minutes, ringAfter, type Clock } from "#runtime";
import { bounded, type AuditEntry } from "../audit/index.ts";

/** So many refusals of one caller have a line each, at once. */
const BURST = 32;
/** One more may have a line so often; those that came meanwhile are counted in it. */
const EVERY = minutes(1);
/** The callers beyond so many share what there is for one. */
const CALLERS_MAX = 1024;

export interface RefusalBudget {
  /** Resolves when the line is on record, or counted for a later one. */
  readonly record: (caller: string, entry: AuditEntry) => Promise<void>;
  /**
   * Counts one more refusal like the one that is counted last, for those who refuse by the thousand.
   *
   * @returns whether it is counted; else it has to be recorded
   */
  readonly count: (caller: string) => boolean;
  /** Puts on record what is counted. */
  readonly close: () => Promise<void>;
}

interface Account {
  left: number;
  held: { readonly entry: AuditEntry; count: number } | undefined;
  cancel: () => void;
}

/** Starts with a full budget for everybody. */
export function refusalBudget(
  record: (entry: AuditEntry) => Promise<void>,
  clock: Clock,
): RefusalBudget {
  const accounts = new Map<string, Account>();
  const flush = async (account: Account): Promise<void> => {
    const { held } = account;
    account.held = undefined;
    if (held === undefined) return;
    await record(held.count === 1 ? held.entry : { ...held.entry, count: held.count });
  };
  const ringLater = (caller: string, account: Account) => {
    account.cancel = ringAfter(clock, EVERY, () => {
      if (account.held === undefined) account.left += 1;
      else void flush(account);
      if (account.left < BURST) ringLater(caller, account);
      else accounts.delete(caller);
    });
  };
  const accountOf = (caller: string): Account => {
    const found = accounts.get(caller);
    if (found !== undefined) return found;
    if (accounts.size >= CALLERS_MAX && caller !== "") return accountOf("");
    const account: Account = { left: BURST, held: undefined, cancel: () => undefined };
    accounts.set(caller, account);
    ringLater(caller, account);
    return account;
  };
  return {
    async record(caller, entry) {
      const account = accountOf(caller);
      if (account.left > 0) {
        account.left -= 1;
        return record(entry);
      }
      // A copy: what is cut from a large request would keep it in memory.
      const copy = JSON.parse(JSON.stringify(bounded(entry))) as AuditEntry;
      account.held = { entry: copy, count: (account.held?.count ?? 0) + 1 };
    },
    count(caller) {
      const { held } = accounts.get(caller) ?? {};
      if (held === undefined) return false;
      held.count += 1;
      return true;
    },
    async close() {
      for (const account of accounts.values()) {
        account.cancel();
        await flush(account);
      }
      accounts.clear();
    },
  };
}
