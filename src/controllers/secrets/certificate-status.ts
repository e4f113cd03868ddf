/**
 * Says of every certificate what it is, how it is, why, and what happens next. Derived from the
 * secrets, public facts only; wakes at the next instant at which one of the states changes.
 */
import {
  type Certificate,
  formatName,
  type KeyedPem,
  readCertificate,
  renewAt,
  serialHex,
  signedBy,
  verifyChain,
  writeDuration,
} from "#pki";
import { CertificateStatus, Endpoint, RenewalRequest, ROLE_LABEL, ROOT_LABEL } from "#resources";
import {
  after,
  all,
  ControllerStatus,
  type DeepReadonly,
  defineController,
  earliest,
  exclusive,
  type Instant,
  resource,
  rfc3339,
  seconds,
  type SpecOf,
} from "#runtime";
import { type Asked, askedFor, skewOf, skewWords, whenLate } from "../asked.ts";
import {
  authorityOf,
  type Holdings,
  holdingsOf,
  inventory,
  isKeyed,
  type Item,
  trustedUnder,
} from "../inventory.ts";
import { certificateIn, remembered } from "../readable.ts";
import { isPending, whenOverdue } from "../renewal-requests.ts";

type Status = SpecOf<typeof CertificateStatus>;
type IssuerStatus = SpecOf<typeof ControllerStatus> | undefined;

/** Tells whether a private key belongs to a certificate, both PEM. */
export type KeyMatches = (pem: KeyedPem) => Promise<boolean>;

export const certificateStatusController = (options: { keyMatches: KeyMatches }) => {
  const keyMatches = rememberedOnce(options.keyMatches);
  const lookAgain = rememberedWhileValid(lookAt);
  return defineController({
    name: "secrets.CertificateStatusController",
    inputs: {
      ...holdingsOf({ damagedIsAbsent: true }),
      controllers: all(ControllerStatus),
      requests: all(RenewalRequest),
      endpoints: all(Endpoint),
    },
    outputs: { statuses: exclusive(CertificateStatus) },

    async reconcile({ inputs, held, clock }) {
      const now = clock.now();
      const issuers = new Map(inputs.controllers.map(({ metadata, spec }) => [metadata.id, spec]));
      const looks = await Promise.all(
        inventory(inputs).map(async (item) => {
          const issuer = issuers.get(item.controller);
          const asked = askedFor(item, inputs, inputs.endpoints);
          const look = { held: inputs, issuer, asked, keyMatches, now };
          const said = amidAsking(await lookAgain(item, look), look);
          const request = inputs.requests.find(({ metadata }) => metadata.id === item.id);
          return { item, ...amidRequest(said, request?.spec, look) };
        }),
      );
      return {
        outputs: {
          statuses: Object.fromEntries(
            looks.map(({ item, status }) => [
              item.id,
              isSame(held.statuses[item.id], status)
                ? held.statuses[item.id]
                : resource(status, {
                    labels: { [ROOT_LABEL]: item.root, [ROLE_LABEL]: item.role },
                  }),
            ]),
          ),
        },
        wakeAt: earliest(looks.map(({ changesAt }) => changesAt)),
      };
    },
  });
};

/** What is said of a pair stays true as long as it is held; that it could not be asked does not. */
function rememberedOnce(keyMatches: KeyMatches): KeyMatches {
  const known = new WeakMap<KeyedPem, boolean>();
  return async (pem) => {
    const before = known.get(pem);
    if (before !== undefined) return before;
    const matches = await keyMatches(pem);
    known.set(pem, matches);
    return matches;
  };
}

/** By the identity of its lists, which is enough for most that did not change. */
const isSame = (held: DeepReadonly<Status> | undefined, status: Status): boolean =>
  held !== undefined &&
  (Object.keys(status) as (keyof Status)[]).every((key) => held[key] === status[key]);

interface Look {
  readonly held: Holdings;
  readonly issuer: IssuerStatus;
  readonly asked: Asked | null;
  readonly keyMatches: KeyMatches;
  readonly now: Instant;
}

/** What is said of a certificate, and when that changes if nothing else does. */
interface Said {
  readonly status: Status;
  readonly changesAt: Instant | null;
}

type LookAt = (item: Item, look: Look) => Promise<Said>;

/** What was said of a valid certificate stays true until then, if it is made of the same parts. */
function rememberedWhileValid(look: LookAt): LookAt {
  const known = new Map<string, Said & { parts: readonly unknown[]; from: Instant }>();
  return async (item, context) => {
    const { held, issuer, now } = context;
    const { id, root, crt, pem } = item;
    const trusted = [authorityOf(root, held)?.crt, ...trustedUnder(root, held)];
    const parts = [crt, pem, issuer, skewOf(item, held), ...trusted];
    const before = known.get(id);
    if (before && isBetween(before, now) && isSameList(before.parts, parts)) return before;
    const said = await look(item, context);
    if (said.status.state === "Valid") known.set(id, { ...said, parts, from: now });
    else known.delete(id);
    return said;
  };
}

const isBetween = (
  { from, changesAt }: { readonly from: Instant; readonly changesAt: Instant | null },
  now: Instant,
): boolean => from <= now && (changesAt === null || now < changesAt);

const isSameList = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((part, index) => part === b[index]);

/** One certificate that cannot be read says so itself; the others are not held back. */
async function lookAt(item: Item, look: Look): Promise<Said> {
  try {
    return await readAndJudge(item, look);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const { waiting, ...trouble } = troubleOf(look);
    const why = [`cannot be read: ${message}`, trouble.lastError || waiting].filter(Boolean);
    const unreadable = { state: "Untrusted" as const, why: why.join("; ") };
    return {
      status: { ...unreadable, ...nothing, ...trouble, source: item.source },
      changesAt: null,
    };
  }
}

/** What keeps a leaf from being issued, as its controller tells it. */
const troubleOf = ({ issuer, asked }: Pick<Look, "issuer" | "asked">) => ({
  lastError: issuer?.error ? `${issuer.error.code}: ${issuer.error.message}` : "",
  nextAttempt: issuer?.state === "failing" ? issuer.nextTry : "",
  waiting: issuer?.waitingFor ? `waits for ${issuer.waitingFor}` : (asked?.words ?? ""),
});

async function readAndJudge(item: Item, look: Look): Promise<Said> {
  const { now } = look;
  const { waiting, ...trouble } = troubleOf(look);
  if (item.crt === undefined) {
    const why = trouble.lastError || waiting || "not issued yet";
    const missing = { state: "Missing" as const, why };
    return { status: { ...missing, ...nothing, ...trouble, source: item.source }, changesAt: null };
  }
  const certificate = readCertificate(item.crt, item.id);
  const renewal = item.role === "leaf" ? renewalOf(certificate, item, look.held) : null;
  const chain = await chainOf(certificate, item, look);
  const matches = !isKeyed(item.pem) || (await matchesKey(item.pem, look));
  const verdict = judge({ certificate, renewal, chain, matches, now, role: item.role });
  const late = ["RenewalDue", "Expired"].includes(verdict.state);
  const hindrance = late && item.role === "leaf" ? trouble.lastError || waiting : "";
  const skew = skewOf(item, look.held);
  const why = [verdict.why, hindrance, skewWords(skew)].filter(Boolean).join("; ");
  // A leaf that is due is renewed at once: that is told only of one that was not.
  const overdue = renewal && after(renewal, seconds(1));
  const boundaries = [certificate.notBefore, overdue, after(certificate.notAfter, seconds(1))];
  return {
    status: {
      state: verdict.state,
      why,
      ...facts(certificate),
      renewAt: renewal === null ? "" : rfc3339(renewal),
      ...trouble,
      chain,
      source: item.source,
      peerSkew: skew === null ? "" : writeDuration(skew),
    },
    changesAt: earliest(
      boundaries.map((moment) => (moment !== null && moment > now ? moment : null)),
    ),
  };
}

type Request = DeepReadonly<SpecOf<typeof RenewalRequest>> | undefined;

/** A valid leaf for which another one is asked says what that waits for. */
function amidAsking(said: Said, look: Look): Said {
  const { status, changesAt } = said;
  if (status.state !== "Valid" || look.asked === null) return said;
  const late = whenLate(look.asked);
  if (look.now < late) return { status, changesAt: earliest([changesAt, late]) };
  const { lastError } = troubleOf(look);
  const why = [status.why, `another one ${look.asked.words}`, lastError].filter(Boolean).join("; ");
  return { status: { ...status, why }, changesAt };
}

/** A leaf that was to be replaced by now is due, and says what is in the way. */
function amidRequest(said: Said, request: Request, look: Look): Said {
  const { status, changesAt } = said;
  if (status.state !== "Valid" || !isPending(request, status.serialNumber)) return said;
  const overdue = whenOverdue(request);
  if (look.now < overdue) return { status, changesAt: earliest([changesAt, overdue]) };
  const { lastError, waiting } = troubleOf(look);
  const why = [`its renewal was asked for on ${request.since}`, lastError || waiting];
  return {
    status: { ...status, state: "RenewalDue", why: why.filter(Boolean).join("; ") },
    changesAt,
  };
}

/** A key that cannot be read is nobody's. */
async function matchesKey(pem: KeyedPem, { keyMatches }: Look): Promise<boolean> {
  return keyMatches(pem).catch(() => false);
}

function renewalOf(certificate: Certificate, item: Item, held: Holdings): Instant | null {
  const authority = certificateIn(authorityOf(item.root, held)?.crt ?? "");
  const due = authority ? renewAt(certificate, authority) : null;
  return due === null ? null : after(due, -(skewOf(item, held) ?? 0));
}

/** `ok`, or why no chain of valid signatures, names and usages leads to an accepted authority. */
async function chainOf(certificate: Certificate, item: Item, { held, now }: Look): Promise<string> {
  if (item.role !== "leaf") {
    return (await signedBy(certificate, certificate)) ? "ok" : "not self-signed";
  }
  // An accepted authority that cannot be read is an item of its own; nothing chains to it.
  const anchors = trustedUnder(item.root, held).flatMap((crt) => certificateIn(crt) ?? []);
  const before = chainsKnown.get(certificate);
  if (before && isStill(before, [certificate, ...anchors], now)) return before.said;
  const verdict = await verifyChain({
    leaf: certificate,
    intermediates: [],
    anchors,
    now,
    usage: "any",
  });
  const said = verdict.valid ? "ok" : verdict.reason;
  chainsKnown.set(certificate, { certificates: [certificate, ...anchors], now, said });
  return said;
}

/** What was said of a chain, of which leaf and anchors, and when. */
interface ChainKnown {
  readonly certificates: readonly Certificate[];
  readonly now: Instant;
  readonly said: string;
}

const chainsKnown = new WeakMap<Certificate, ChainKnown>();

/** Until one of them begins or ends. */
const isStill = (known: ChainKnown, certificates: readonly Certificate[], now: Instant): boolean =>
  known.said === "ok" &&
  known.certificates.length === certificates.length &&
  certificates.every(
    (certificate, index) =>
      certificate === known.certificates[index] &&
      isInForce(certificate, now) === isInForce(certificate, known.now),
  );

const isInForce = ({ notBefore, notAfter }: Certificate, now: Instant): boolean =>
  notBefore <= now && now <= notAfter;

function judge(seen: {
  certificate: Certificate;
  renewal: Instant | null;
  chain: string;
  matches: boolean;
  now: Instant;
  role: Item["role"];
}): Pick<Status, "state" | "why"> {
  const { certificate, renewal, chain, matches, now, role } = seen;
  if (!matches) return { state: "KeyMismatch", why: "the private key is not this certificate's" };
  if (now > certificate.notAfter) {
    return { state: "Expired", why: `ended on ${rfc3339(certificate.notAfter)}` };
  }
  if (now < certificate.notBefore) {
    return {
      state: "NotYetValid",
      why: `begins on ${rfc3339(certificate.notBefore)}: is this machine's clock right?`,
    };
  }
  if (chain !== "ok") return { state: "Untrusted", why: chain };
  if (renewal !== null && renewal <= now) {
    return { state: "RenewalDue", why: `due since ${rfc3339(renewal)}` };
  }
  const endsWithRoot = role === "leaf" && renewal === null;
  return {
    state: "Valid",
    why: endsWithRoot ? "ends with its root: replaced when the root is" : "",
  };
}

const facts = remembered((certificate: Certificate) => ({
  subject: formatName(certificate.subject),
  issuer: formatName(certificate.issuer),
  serialNumber: serialHex(certificate.serialNumber),
  notBefore: rfc3339(certificate.notBefore),
  notAfter: rfc3339(certificate.notAfter),
  keyAlgorithm: certificate.publicKey.algorithm,
  signatureAlgorithm: certificate.signatureAlgorithm,
  keyUsages: [...certificate.keyUsages],
  extKeyUsages: [...certificate.extKeyUsages],
  dnsNames: [...certificate.dnsNames],
  ipAddresses: [...certificate.ipAddresses],
  spkiFingerprint: certificate.spkiFingerprint,
}));

const nothing: Omit<Status, "state" | "why" | "lastError" | "nextAttempt" | "source"> = {
  subject: "",
  issuer: "",
  serialNumber: "",
  notBefore: "",
  notAfter: "",
  renewAt: "",
  chain: "",
  keyAlgorithm: "",
  signatureAlgorithm: "",
  keyUsages: [],
  extKeyUsages: [],
  dnsNames: [],
  ipAddresses: [],
  spkiFingerprint: "",
  peerSkew: "",
};
