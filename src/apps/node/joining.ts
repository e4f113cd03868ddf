/** How a worker gets its certificates, and leaves: whom it asks, over what, and how far that has come. */
import { lookup } from "node:dns/promises";
import type { AskCertificate, ResolveHost } from "#controllers";
import { requestIssuer } from "#pki";
import type { Logger } from "#runtime";
import type { Store } from "#runtime/store";
import {
  certificateAsker,
  clusterLeave,
  grpcSigners,
  grpcWatch,
  keepMembership,
} from "../join/index.ts";
import type { Surroundings } from "./acceptance.ts";
import type { Leave } from "./reset.ts";
import { operatingSystem } from "./version.ts";

/** Where Talos has it. */
export const TRUSTD_PORT = 50001;

/** The capabilities of the controllers that join, and what is seen of them. */
export interface Joining {
  readonly askCertificate: AskCertificate;
  readonly resolveHost: ResolveHost;
  /** Reports and listens from now on, as long as the node is a member. */
  readonly keepMembership: (store: Store, apiPort: number) => AsyncDisposable;
  /** Resolves when somebody is asked for the first time, which may take long. */
  readonly asked: Promise<void>;
  /** Why who was asked last has issued nothing; empty where nobody was, or it has. */
  readonly problem: () => string;
  /** For the node of a store. */
  readonly leaveOf: (store: Store) => Leave;
}

/** Nobody is asked before there is a reason. */
export function openJoining(
  options: Pick<Surroundings, "clock" | "random" | "keys"> & {
    /** Where the node listens, and calls from. */
    readonly address: string;
    /** Where control planes listen, unless they say otherwise. */
    readonly apiPort: number;
    readonly trustdPort: number;
    readonly log: Logger;
  },
): Joining {
  const { promise: asked, resolve } = Promise.withResolvers<undefined>();
  let problem = "";
  const callSigner = grpcSigners(options);
  const watchSigner = grpcWatch(options);
  const ask = certificateAsker({
    ...options,
    callSigner,
    issueRequest: requestIssuer(options),
    onAttempt: (reason) => void (problem = reason ?? ""),
  });
  return {
    askCertificate(wish, signal) {
      resolve(undefined);
      return ask(wish, signal);
    },
    resolveHost: async (name) => (await lookup(name, { all: true })).map(({ address }) => address),
    keepMembership: (store, apiPort) =>
      keepMembership({ ...options, store, callSigner, watchSigner, operatingSystem, apiPort }),
    asked,
    problem: () => problem,
    leaveOf: (store) => clusterLeave({ ...options, callSigner, store }),
  };
}
