/**
 * What each call with a token goes through, whatever it asks for: the token is looked at before
 * anything that costs more, refusals are counted, and what is about to be done, or was refused, is on
 * record before that. Calls whose lines are written together go on together.
 */
import { formatName, type Csr } from "#pki";
import { CodedError, type Clock, type Logger } from "#runtime";
import type { RecordEntry } from "../apid/audit.ts";
import type { Standing } from "./admission/standing.ts";
import { recognise, type Presented } from "./admission/token.ts";
import { tellAsked } from "./asked-log.ts";
import { PeerUnknownError } from "./errors.ts";
import type { Limits } from "./limits.ts";
import { entryOf, openRefusals, type TokenCall } from "./refusals.ts";
import type { TokenAsker } from "./signer.ts";

/** A call that is under way. */
export interface Attempt {
  readonly peer: string;
  readonly presented: Presented;
  /**
   * Before anything that costs more than to look up what is known.
   *
   * @throws {RefusalsExhaustedError}
   */
  mayCost(): void;
  /** Says what is asked for, as soon as that is known. */
  asksFor(csr: Csr, nodeId?: string): void;
  /** Puts on record that it is about to be granted. */
  begins(): Promise<void>;
}

/** Makes calls. */
export interface Attempts {
  /** @throws what `answer` throws, or that too much was refused */
  make<T>(asker: TokenAsker, method: string, answer: (attempt: Attempt) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** What attempts need. */
export interface AttemptsOptions {
  readonly standing: Standing;
  readonly limits: Limits;
  readonly record: RecordEntry;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Makes them. */
export function openAttempts(options: AttemptsOptions): Attempts {
  const { standing, limits, record, clock, log } = options;
  const { refuse, close } = openRefusals(options);

  const grant = async <T>(
    call: TokenCall & { readonly presented: Presented },
    answer: (attempt: Attempt) => Promise<T>,
  ): Promise<T> => {
    const { asker, presented } = call;
    const { peer } = asker;
    let about: TokenCall = call;
    let begun: Promise<void> | undefined;
    const line = (outcome: string) =>
      record({ ...entryOf(about, clock.now()), outcome, reason: "" });
    try {
      const answered = await answer({
        ...{ peer, presented },
        mayCost: () => {
          const objection = limits.objectionTo(peer, presented.name);
          if (objection !== undefined) throw objection;
        },
        asksFor: (csr, nodeId = "") => {
          about = { ...call, subject: formatName(csr.subject), nodeId };
          tellAsked(log, peer, csr, nodeId);
        },
        begins: () => (begun = line("BEGUN")),
      });
      // It is on record already that this was about to be done.
      const isWritten = line("OK");
      if (begun === undefined) await isWritten;
      return answered;
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      return refuse(about, error);
    }
  };

  return {
    make(asker, method, answer) {
      if (asker.peer === "") return Promise.reject(new PeerUnknownError());
      const presented = recognise(asker.token, standing, clock.now());
      if (presented instanceof CodedError) return refuse({ asker, method }, presented);
      return grant({ asker, method, presented }, answer);
    },
    close,
  };
}
