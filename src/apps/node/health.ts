/** Whether all is well with this node: what is looked at, in order, and waited for. */
import { CertificateStatus, FileSet, ROLE_LABEL, SecurityStatus, TimeStatus } from "#resources";
import { after, ControllerStatus, type AnyResourceType, type Clock } from "#runtime";
import type { Store } from "#runtime/store";
import { type CheckHealth, UnhealthyError } from "../apid/index.ts";

/** One thing to be well. */
interface Check {
  /** After `waiting for`. */
  readonly what: string;
  /** Where its troubles show, and a change of which is a reason to look again. */
  readonly kinds: readonly AnyResourceType[];
  /** What is not well, in words; empty when all is. */
  readonly troubles: (store: Store) => Promise<readonly string[]>;
}

const certificates =
  (isWanted: (role: string) => boolean): Check["troubles"] =>
  async (store) => {
    const held = (await store.list(CertificateStatus)).filter(({ metadata }) =>
      isWanted(metadata.labels[ROLE_LABEL] ?? ""),
    );
    if (held.length === 0) return ["there is none"];
    return held
      .filter(({ spec }) => spec.state !== "Valid")
      .map(({ metadata, spec: { state, why } }) => `${metadata.id} is ${state}${inBrackets(why)}`);
  };

const inBrackets = (text: string): string => (text === "" ? "" : ` (${text})`);

const checks: readonly Check[] = [
  {
    what: "the clock to be in sync",
    kinds: [TimeStatus],
    async troubles(store) {
      const held = await store.get(TimeStatus, "node");
      if (held === undefined) return ["nothing is known of the clock yet"];
      return held.spec.synced ? [] : [`${held.spec.source} has not set it yet`];
    },
  },
  {
    what: "all authorities to be valid",
    kinds: [CertificateStatus],
    troubles: certificates((role) => role !== "leaf"),
  },
  {
    what: "all certificates to be valid",
    kinds: [CertificateStatus],
    troubles: certificates((role) => role === "leaf"),
  },
  {
    what: "all files to be published",
    kinds: [FileSet],
    troubles: async (store) =>
      (await store.list(FileSet))
        .filter(({ spec }) => spec.error !== "" || spec.waitingFor !== "")
        .map(({ spec }) => `${spec.directory}: ${spec.error || `waiting for ${spec.waitingFor}`}`),
  },
  {
    what: "all controllers to succeed",
    kinds: [ControllerStatus],
    troubles: async (store) =>
      (await store.list(ControllerStatus)).flatMap(({ metadata, spec: { error } }) =>
        error === null ? [] : [`${metadata.id}: ${error.message}`],
      ),
  },
  {
    what: "no critical finding",
    kinds: [SecurityStatus],
    troubles: async (store) =>
      (await store.list(SecurityStatus)).flatMap(({ metadata, spec: { findings } }) =>
        findings
          .filter(({ severity }) => severity === "critical")
          .map(({ message }) => `${metadata.id}: ${message}`),
      ),
  },
];

/** Makes the check. It looks again when something changes, and never for the time alone. */
export const healthCheck =
  ({ store, clock }: { readonly store: Store; readonly clock: Clock }): CheckHealth =>
  async ({ timeout, signal, tell }) => {
    const timeUp = new AbortController();
    const cancel = clock.alarm(after(clock.now(), timeout), () => timeUp.abort());
    const ending = AbortSignal.any([signal, timeUp.signal]);
    try {
      for (const check of checks) {
        if (await isWell(check, { store, tell, ending })) continue;
        signal.throwIfAborted();
        throw new UnhealthyError(`the time is up: ${await allTroubles(store)}`);
      }
    } finally {
      cancel();
    }
  };

/** Waits until there is no trouble, and tells of each change. @returns whether there is none */
async function isWell(
  { what, kinds, troubles }: Check,
  {
    store,
    tell,
    ending,
  }: {
    readonly store: Store;
    readonly tell: (line: string) => Promise<void>;
    readonly ending: AbortSignal;
  },
): Promise<boolean> {
  await tell(`waiting for ${what}: ...`);
  for (let told = ""; ;) {
    using change = firstChange(store, kinds, ending); // before looking: none is missed
    const found = await troubles(store);
    if (found.length === 0) {
      await tell(`waiting for ${what}: OK`);
      return true;
    }
    if (ending.aborted) return false;
    const now = found.join("; ");
    if (now !== told) await tell(`waiting for ${what}: ${now}`);
    told = now;
    await change.come;
  }
}

/** Comes with the next change of one of the kinds, or with the end. */
function firstChange(store: Store, kinds: readonly AnyResourceType[], ending: AbortSignal) {
  const { promise: come, resolve } = Promise.withResolvers<undefined>();
  const done = () => {
    resolve(undefined);
  };
  const following = kinds.map((kind) => store.watchKind(kind).subscribe(done));
  ending.addEventListener("abort", done);
  if (ending.aborted) done();
  return {
    come,
    [Symbol.dispose]() {
      ending.removeEventListener("abort", done);
      for (const subscription of following) subscription.unsubscribe();
    },
  };
}

/** Of all checks, also those that were not waited for. */
async function allTroubles(store: Store): Promise<string> {
  const found = await Promise.all(
    checks.map(async ({ what, troubles }) => {
      const here = await troubles(store);
      return here.length === 0 ? [] : [`waiting for ${what}: ${here.join("; ")}`];
    }),
  );
  return found.flat().join("\n");
}
