/** The tokens that nodes join with: made, listed, revoked. What stands of one is its hash. */
import { issueToken } from "#config";
import { JoinToken } from "#resources";
import {
  after,
  AlreadyExistsError,
  type Clock,
  days,
  type DeepReadonly,
  type Instant,
  NotFoundError,
  pointerTo,
  type Random,
  type Resource,
  rfc3339,
  type SpecOf,
} from "#runtime";
import type { Store } from "#runtime/store";
import type { ClusterStore } from "../node/cluster-store.ts";
import { TokenUnknownError } from "./members/errors.ts";
import { checkedTokenRequest, type TokenRequest } from "./token-request.ts";
import { timeIn, tokenHash, tokenId, tokenState, type TokenState } from "./token-state.ts";

export type { TokenRequest } from "./token-request.ts";

/** How long one that is of no use any more is still listed. */
const KEPT_FOR = days(30);
/** Ids are drawn anew when they are taken, which is rare as long as there are few. */
const DRAWS_MAX = 8;
/** Somebody may give the whole token for its id: no more of it is repeated. */
const ID_SHOWN_MAX = 6;

type TokenSpec = DeepReadonly<SpecOf<typeof JoinToken>>;

/** A token as it is listed. */
export interface ListedToken extends Omit<TokenSpec, "hash" | "revoked"> {
  readonly id: string;
  readonly state: TokenState;
}

/** The join tokens of a cluster. */
export interface Tokens {
  /**
   * Makes a token; this is the one time that it is told.
   *
   * @returns `notAfter` in RFC 3339; empty when it has no end
   * @throws {InvalidRequestError} {@link NoClusterStoreError}
   */
  create(
    request: TokenRequest,
  ): Promise<{ readonly id: string; readonly token: string; readonly notAfter: string }>;
  /** In the order of their ids. */
  list(): Promise<readonly ListedToken[]>;
  /**
   * Ends a token before its time. One that was revoked stays so.
   *
   * @throws {TokenUnknownError}
   */
  revoke(id: string): Promise<void>;
}

interface TokensOptions {
  readonly cluster: ClusterStore;
  readonly clock: Clock;
  readonly random: Random;
}

/** The tokens in the cluster's store. */
export const openTokens = ({ cluster, clock, random }: TokensOptions): Tokens => ({
  async create(request) {
    const { lifetime, ...asked } = checkedTokenRequest(request);
    const store = await cluster.open();
    const now = clock.now();
    const notAfter = lifetime === undefined ? "" : rfc3339(after(now, lifetime));
    const spec = { ...asked, created: rfc3339(now), notAfter, revoked: "", used: 0 };
    const token = await drawn(random, (each) =>
      store.create(JoinToken, tokenId(each), { ...spec, hash: tokenHash(each) }),
    );
    await sweep(store, now);
    return { id: tokenId(token), token, notAfter };
  },
  async list() {
    const store = await cluster.open();
    const now = clock.now();
    return (await store.list(JoinToken)).map((token) => listed(token, now));
  },
  async revoke(id) {
    const store = await cluster.open();
    const revoked = rfc3339(clock.now());
    await store
      .modify(JoinToken, id, (token) => void (token.revoked ||= revoked))
      .catch((error: unknown) => {
        throw error instanceof NotFoundError ? unknownToken(id) : error;
      });
  },
});

/** A token whose id is not taken. */
async function drawn(random: Random, keep: (token: string) => Promise<unknown>): Promise<string> {
  for (let draw = 1; ; draw++) {
    const token = issueToken(random);
    try {
      await keep(token);
      return token;
    } catch (error) {
      if (!(error instanceof AlreadyExistsError) || draw === DRAWS_MAX) throw error;
    }
  }
}

function listed({ metadata, spec }: Resource<SpecOf<typeof JoinToken>>, now: Instant): ListedToken {
  const { hash: _hash, revoked: _revoked, ...told } = spec;
  return { ...told, id: metadata.id, state: tokenState(spec, now) };
}

const unknownToken = (id: string) =>
  new TokenUnknownError(
    `there is no join token ${JSON.stringify(id.slice(0, ID_SHOWN_MAX))}: the id of one is what stands ` +
      "before its dot",
  );

/** Forgets the tokens whose end is long past. */
async function sweep(store: Store, now: Instant): Promise<void> {
  const isPast = (text: string) => {
    const time = timeIn(text); // a damaged one is kept, for those who look at it
    return time !== undefined && now >= after(time, KEPT_FOR);
  };
  const past = (await store.list(JoinToken)).filter(
    ({ spec }) => isPast(spec.revoked) || isPast(spec.notAfter),
  );
  for (const { metadata } of past)
    await store.destroy(pointerTo(JoinToken, metadata.id)).catch((error: unknown) => {
      if (!(error instanceof NotFoundError)) throw error; // somebody else has just forgotten it
    });
}
