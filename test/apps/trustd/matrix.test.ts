/** Operation × token × names: each cell of the tables is decided as they say. */
import { DeniedCertificate, JoinToken, MachineToken, MemberRecord } from "#resources";
import { organizations } from "#pki";
import { after, manualClock, rfc3339, systemRandom } from "#runtime";
import { openMemoryStore, type Store } from "#runtime/store";
import { expect, test } from "vitest";
import type { JoinRequest, SigningRequest } from "../../../src/apps/rpc/gen/node/node.ts";
import { tokenHash } from "../../../src/apps/trustd/token-state.ts";
import {
  certificateIn,
  createToken,
  csr,
  fill,
  ID,
  joining,
  keys,
  openCluster,
  PEER,
  signing,
  START,
} from "./cluster.ts";
import {
  BOUNDS,
  names,
  operations,
  rules,
  tokens,
  type NamesCase,
  type OperationCase,
  type RuleOf,
  type TokenCase,
} from "./matrix-cases.ts";

interface Cell {
  readonly name: string;
  readonly operation: OperationCase;
  readonly token: TokenCase;
  readonly wanted: NamesCase;
  readonly isStrict: boolean;
}

const strictTokens = [tokens["machine.token"], tokens.bound];
const fewTokens = ["wrong", "machine.token", "single-use, unspent", "single-use, spent"]
  .concat("ended", "bound")
  .map((name) => tokens[name]);
const fewNames = ["its own", "certSANs and what every machine has", "one more address"]
  .concat("a name and an address from elsewhere", "a member's hostname", "a member's address")
  .concat("a wildcard over nobody", "too many")
  .map((name) => names[name]);

const isNone = ({ refuses }: TokenCase): boolean =>
  refuses.includes("missing") || refuses.includes("invalid");

/** All combinations that there can be; in strict mode the ones with a good token. */
const cells: readonly Cell[] = [false, true].flatMap((isStrict) =>
  Object.entries(operations).flatMap(([operationName, operation]) =>
    Object.entries(tokens).flatMap(([tokenName, token]) =>
      Object.entries(names).flatMap(([namesName, wanted]): Cell[] => {
        const mode = isStrict ? " (strict)" : "";
        const name = `${operationName} × ${tokenName} × ${namesName}${mode}`;
        const cell = { name, operation, token, wanted, isStrict };
        return isPossible(cell) ? [cell] : [];
      }),
    ),
  ),
);

function isPossible({ operation, token, wanted, isStrict }: Cell): boolean {
  const { call, isRepeat, memberSince } = operation;
  // A renewal is asked for without a token; what there is to it is what the node joined with.
  if (call === "renew" && token !== tokens.unlimited && token !== tokens.bound) return false;
  // What is refused is not answered, and so there is nothing to repeat.
  if (isRepeat && namesRefusals(wanted, token, false).length > 0) return false;
  // Nothing is looked at of what comes with a token that is none.
  if (isNone(token) && !fewNames.includes(wanted)) return false;
  if (isStrict) return strictTokens.includes(token) && !isRepeat && operation.refuses === undefined;
  // Whether a node was a member before is one more question, and answers none about tokens and names.
  const isAgain = call === "join" && memberSince !== undefined;
  return !isAgain || (fewTokens.includes(token) && fewNames.includes(wanted));
}

function namesRefusals(
  { refuses = [], isOutside, isForeign }: NamesCase,
  token: TokenCase,
  isStrict: boolean,
): RuleOf[] {
  const bounds: RuleOf[] = isOutside && token.spec?.isBound ? ["bounds"] : [];
  return [...refuses, ...bounds, ...(isStrict && isForeign ? (["strict"] as const) : [])];
}

/** By which rules a cell is to be refused, the first one first; none: it is granted. */
const inOrder = (cell: Cell): readonly RuleOf[] =>
  (Object.keys(rules) as RuleOf[]).filter((rule) => refusalsOf(cell).includes(rule));

/** The same in any order. */
function refusalsOf({ operation, token, wanted, isStrict }: Cell): readonly RuleOf[] {
  if (operation.call === "renew")
    return [...(operation.refuses ?? []), ...namesRefusals(wanted, token, isStrict)];
  if (operation.isRepeat) return token.repeat ?? token.refuses;
  const byToken = token.refuses;
  if (isNone(token)) return byToken;
  return [...byToken, ...(operation.refuses ?? []), ...namesRefusals(wanted, token, isStrict)];
}

/** Requests are the same in all cells with these names. */
const plain = new Map<NamesCase, Buffer>();
const requests = new Map<NamesCase, { readonly signing: SigningRequest }>();
const joins = new Map<string, JoinRequest>();
for (const wanted of Object.values(names)) {
  plain.set(wanted, await csr(wanted));
  requests.set(wanted, { signing: await signing(wanted) });
}

/** The node's identity from when it joined, and one that another key signs with. */
const identity = await (async () => {
  await using cluster = await openCluster();
  await cluster.token("joint1.0123456789abcdef");
  const asker = { peer: PEER, token: "joint1.0123456789abcdef" };
  const { issued } = await cluster.signer.join(asker, await joining(ID.worker));
  const record = await cluster.store.get(MemberRecord, ID.worker);
  return { crt: issued?.identityCrt ?? Buffer.of(), record: record?.spec };
})();
const stranger = await keys.issueKey("P-256");
const shown = {
  good: { crt: identity.crt },
  denied: { crt: identity.crt },
  forged: { crt: identity.crt, key: stranger },
} as const;

async function joinOf({ operation: { proof }, wanted }: Cell): Promise<JoinRequest> {
  const id = `${proof ?? ""} ${Object.values(names).indexOf(wanted)}`;
  const made =
    joins.get(id) ??
    (await joining(ID.worker, { ...wanted, ...(proof && { former: shown[proof] }) }));
  joins.set(id, made);
  return made;
}

/** The record of another member, and what there is of the token and of the node itself. */
async function prepare(store: Store, { operation, token }: Cell): Promise<void> {
  await fill(store);
  const { record } = identity;
  if (record === undefined) throw new Error("the node did not join");
  await store.create(MemberRecord, ID.other, {
    ...{ ...record, hostname: "worker-2.example.com", addresses: ["10.0.0.8"], identities: [] },
    dnsNames: ["worker-2", "registry.example.com"],
  });
  const bounds = token.spec?.isBound ? BOUNDS : null;
  if (operation.memberSince !== undefined && !operation.isGone)
    await store.create(MemberRecord, ID.worker, { ...record, bounds });
  if (operation.proof === "denied")
    await store.create(DeniedCertificate, certificateIn(identity.crt).fingerprint, {
      ...{ reason: "removed", since: rfc3339(START) },
    });
}

/** As it is at the time of the request. */
async function putToken(store: Store, { isOff, overlap, spec = {} }: TokenCase): Promise<void> {
  const { notAfter, revoked, isBound, ...counts } = spec;
  const instant = (by: number | undefined) => (by === undefined ? "" : rfc3339(after(START, by)));
  await createToken(store, "joint1.0123456789abcdef", {
    ...counts,
    ...{ notAfter: instant(notAfter), revoked: instant(revoked) },
    ...(isBound && { bounds: BOUNDS }),
  });
  await store.modify(MachineToken, "trustd", (draft) => {
    if (isOff) draft.hash = "";
    if (overlap !== undefined)
      draft.former = [{ hash: tokenHash("former.0123456789abcdef"), until: instant(overlap) }];
  });
}

/** @returns what it was refused with; undefined when it was granted */
async function decide(cell: Cell): Promise<string | undefined> {
  const { operation, token, wanted, isStrict } = cell;
  const clock = manualClock(START);
  await using store = openMemoryStore({ clock, random: systemRandom });
  await prepare(store, cell);
  await using cluster = await openCluster({ store, clock, strictJoin: isStrict });
  const member = { peer: PEER, certificate: certificateIn(identity.crt) };
  const join = await joinOf(cell);
  const renewal = requests.get(wanted)!;
  const ask = async (presented: string | undefined) => {
    const asker = { peer: PEER, token: presented };
    if (operation.call === "certificate")
      return [(await cluster.signer.certificate(asker, { csr: plain.get(wanted)! })).crt];
    const { issued } =
      operation.call === "join"
        ? await cluster.signer.join(asker, join)
        : await cluster.signer.renew(member, renewal);
    return [issued!.servingCrt, issued!.identityCrt];
  };
  let before: readonly Buffer[] | undefined;
  if (operation.isRepeat) before = await firstAnswer(cell, store, ask);
  await putToken(store, token);
  clock.advanceTo(after(START, operation.memberSince ?? 0));
  const usedBefore = await usesOf(store);
  try {
    const issued = await ask(token.presented);
    checkIssued(issued, cell);
    if (before !== undefined) expect(issued).toEqual(before);
    const isMember = operation.memberSince !== undefined && !operation.isGone;
    const isSpending = !isMember && !operation.isRepeat; // a member is one already
    const counts = token.presented?.startsWith("joint1") === true && isSpending;
    expect(await usesOf(store)).toBe(usedBefore + (counts ? 1 : 0));
    return undefined;
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
    expect(await usesOf(store)).toBe(usedBefore);
    return error.message;
  }
}

const usesOf = async (store: Store) => (await store.get(JoinToken, "joint1"))?.spec.used ?? 0;

/** The request was answered when the token still was good; then that is taken away again. */
async function firstAnswer(
  { token, operation: { call } }: Cell,
  store: Store,
  ask: (token: string | undefined) => Promise<readonly Buffer[]>,
): Promise<readonly Buffer[] | undefined> {
  if (token.presented === undefined || token.refuses.includes("invalid")) return undefined;
  const good = token.presented.startsWith("former") ? tokens["machine.token before, taken"]! : {};
  await putToken(store, { presented: undefined, refuses: [], ...good });
  const answer = await ask(call === "renew" ? undefined : token.presented);
  await store.destroy({ ...JoinToken, id: "joint1" });
  await store.modify(MachineToken, "trustd", (draft) => {
    draft.former = [];
  });
  return answer;
}

/** Whatever was asked for, a node gets to serve and to be itself. */
function checkIssued(issued: readonly Buffer[], { wanted, operation }: Cell): void {
  const [serving, client] = issued.map(certificateIn);
  expect(organizations(serving!.subject)).toEqual([]);
  expect(serving!.extKeyUsages).toEqual(["serverAuth"]);
  expect(serving!.ipAddresses).toEqual(wanted.ipAddresses ?? ["10.0.0.7", "127.0.0.1"]);
  if (operation.call === "certificate") return;
  expect(organizations(client!.subject)).toEqual(["trustplane:node"]);
  expect(client!.extKeyUsages).toEqual(["clientAuth"]);
}

test(`${cells.length} cells of operation × token × names are decided as their rows say`, async () => {
  expect(cells.length).toBeGreaterThan(500);
  const wrong: string[] = [];
  let granted = 0;
  for (const cell of cells) {
    const [expected] = inOrder(cell);
    const refusal = await decide(cell);
    if (refusal === undefined) granted += 1;
    const isRight =
      expected === undefined
        ? refusal === undefined
        : refusal !== undefined && rules[expected].test(refusal);
    if (!isRight)
      wrong.push(`${cell.name}: ${refusal ?? "granted"}, and not ${expected ?? "granted"}`);
  }
  expect(wrong).toEqual([]);
  expect(granted).toBeGreaterThan(100);
});
