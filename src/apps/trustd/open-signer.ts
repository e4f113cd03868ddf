/** Opens the signer of a node over its store. */
import type { KeyProvider, PolicyInForce } from "#pki";
import type { Clock, Logger, Random } from "#runtime";
import type { Store } from "#runtime/store";
import { clusterStoreIn, type ClusterStore } from "../node/cluster-store.ts";
import type { RecordEntry } from "../apid/audit.ts";
import { openAttempts } from "./attempts.ts";
import { answerCertificate } from "./certificate.ts";
import { collectEnded } from "./collector.ts";
import { followFacts } from "./facts.ts";
import { issuingWith } from "./issuing.ts";
import { answerJoin } from "./join.ts";
import { openLedger } from "./ledger.ts";
import { openLimits, type Limits } from "./limits.ts";
import { answerRenew } from "./renew.ts";
import { openRenewals } from "./renewals.ts";
import type { Signer } from "./signer.ts";
import type { Signing } from "./signing.ts";

/** What a signer is opened with. */
export interface SignerOptions {
  /** The node's own. */
  readonly store: Store;
  /** What all control planes share; default the node's own store. */
  readonly cluster?: ClusterStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly keys: KeyProvider;
  readonly log: Logger;
  /** Keeps what is worth a line of the audit log. */
  readonly record: RecordEntry;
  /** Whether addresses are certified for who has them only. */
  readonly strictJoin?: boolean;
  /** Where apid of this node listens. */
  readonly apiPort: () => number;
  /** Left out: the default policy is in force. */
  readonly policy?: PolicyInForce;
}

/** A signer that is open. */
export interface OpenSigner extends Signer, AsyncDisposable {
  readonly limits: Limits;
  close(): Promise<void>;
}

const JOIN = "/trustplane.v1.NodeService/Join";
const CERTIFICATE = "/securityapi.SecurityService/Certificate";

/** Opens it; resolves when all that it goes by is known. */
export async function openSigner(options: SignerOptions): Promise<OpenSigner> {
  const { store, clock, strictJoin = false, apiPort } = options;
  const cluster = options.cluster ?? clusterStoreIn(store);
  const log = options.log.child({ component: "trustd" });
  const found = await cluster.find();
  // Without one that is shared there still is what this node signed.
  const records = "store" in found ? found.store : store;
  const facts = await followFacts({ ...options, records });
  const ledger = openLedger(facts, records.core);
  const issuing = issuingWith({ ...options, facts });
  const limits = openLimits(clock);
  const attempts = openAttempts({ ...options, standing: facts, limits, log });
  const stopCollecting = collectEnded({ facts, records, clock, log });
  const signing: Signing = {
    ...{ facts, ledger, issuing, clock, isStrict: strictJoin, apiPort, cluster },
    renewals: openRenewals(clock),
  };
  const close = async () => {
    stopCollecting();
    facts.close();
    await attempts.close();
  };
  return {
    certificate: (asker, request) =>
      attempts.make(asker, CERTIFICATE, (attempt) => answerCertificate(attempt, request, signing)),
    join: (asker, request) =>
      attempts.make(asker, JOIN, (attempt) => answerJoin(attempt, request, signing)),
    renew: (asker, request) => answerRenew(asker, request, signing),
    limits,
    close,
    [Symbol.asyncDispose]: close,
  };
}
