/** Bad input, request by request: what each call answers, and what is issued where that is a certificate. */
import { status } from "@grpc/grpc-js";
import { beforeAll, describe, expect, test } from "vitest";
import { buildName, formatName, type Certificate } from "#pki";
import { statusOf } from "#runtime/rpc";
import type { SigningRequest } from "../../../src/apps/rpc/gen/node/node.ts";
import { trustdStatuses } from "../../../src/apps/trustd/errors.ts";
import { asN, dns, forged, greedy, ip, keyedBy, many, named, spoilt } from "./bad-requests.ts";
import { certificateIn, ID, joining, MACHINE_TOKEN, openCluster, signing } from "./cluster.ts";

type Code = keyof typeof status;

/** What every call answers to a request for a serving certificate. */
type Row = readonly [
  name: string,
  csr: () => Buffer | Promise<Buffer>,
  answer: readonly [Code, string] | (Partial<Certificate> & { readonly called: string }),
];

const undecodable = ["INVALID_ARGUMENT", "failed to decode CSR"] as const;
const unparsable = (why: string) => ["INVALID_ARGUMENT", `failed to parse CSR: … ${why}`] as const;
const unsignable = (why: string) => ["INTERNAL", `failed to sign CSR: … ${why}`] as const;
const denied = (why: string) => ["PERMISSION_DENIED", `… ${why}`] as const;
const subject = (commonName: string) => ({ subject: buildName({ commonName }) });

const rows: readonly Row[] = [
  ["nothing", () => spoilt.nothing, undecodable],
  ["garbage", () => spoilt.garbage, undecodable],
  ["a block without its end", () => spoilt.withoutEnd, undecodable],
  ["a block with nothing in it", () => spoilt.empty, undecodable],
  ["a block of garbage", () => spoilt.noDer, unparsable("found tag 0x77 where tag 0x30 belongs")],
  ["one that is cut off", () => spoilt.cutOff, unparsable("certificate request is cut off")],
  ["one with bytes behind it", () => spoilt.withMore, unparsable("2 bytes too many")],
  ["one inside of a hundred", () => spoilt.nested, unparsable("")],
  ["one behind 33,000 spaces", () => spoilt.oversize, unparsable("more than 32768 bytes")],
  ["one under another label", () => spoilt.certificateLabel, { called: "CN = a", dnsNames: ["a"] }],
  ["one that another key signed", forged, unsignable("is not signed by the key that it is for")],

  ["RSA of 1024 bits", () => keyedBy("-newkey", "rsa:1024"), unparsable("it needs 2048")],
  ["P-224", ec("secp224r1"), unparsable("keys on the curve P-224 are not supported")],
  ["secp256k1", ec("secp256k1"), unparsable("keys on the curve secp256k1 are not supported")],
  [
    "RSA under P-256",
    () => keyedBy("-newkey", "rsa:2048"),
    unsignable("cannot sign by SHA256-RSA"),
  ],
  [
    "Ed25519 under P-256",
    () => keyedBy("-newkey", "ed25519"),
    unsignable("cannot sign by Ed25519"),
  ],
  ["P-384 under P-256", ec("secp384r1"), { called: "CN = a", dnsNames: ["a"] }],

  [
    "CA:TRUE, foreign usages and extensions, O=os:admin",
    greedy,
    { called: "CN = a", dnsNames: ["a"], ipAddresses: ["10.9.9.9"] },
  ],
  [
    "two lists of names",
    () => named([[dns("a")], [dns("b")]]),
    unparsable("several lists of names"),
  ],

  ["10,000 names", () => many(10_000), unparsable("more than 32768 bytes")],
  ["101 names", () => many(101), denied("namesMax")],
  ["100 names", () => many(100), { called: "CN = n" }],
  ["a name with NUL", () => asN(dns("a\0.b")), unparsable('"a\\u0000.b" is not a DNS name')],
  ["a common name with NUL", () => named([[dns("a")]], subject("a\0")), unparsable("control")],
  ["a wildcard", () => asN(dns("*.example")), denied("wildcards")],
  ["a wildcard within", () => asN(dns("a.*.b")), unparsable('"a.*.b" is not a DNS name')],
  ["IDN as UTF-8", () => asN(dns("bücher.example")), unparsable("a bad IA5String")],
  [
    "IDN as IDNA has it",
    () => asN(dns("xn--bcher-kva.example")),
    { called: "CN = n", dnsNames: ["n", "xn--bcher-kva.example"] },
  ],
  ["a dot at the end", () => asN(dns("a.example.")), unparsable('"a.example." is not a DNS')],
  ["an empty name", () => asN(dns("")), unparsable('"" is not a DNS name')],
  ["a list of no names", () => named([[]]), unparsable("")],
  ["an address as a name", () => asN(dns("10.0.0.7")), unparsable('"10.0.0.7" is not a DNS')],
  ["an address of five octets", () => asN(ip(1, 2, 3, 4, 5)), unparsable("has 5 octets")],
  [
    "an address mapped into IPv6",
    () => asN(ip(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 1, 2, 3)),
    { called: "CN = n", ipAddresses: ["10.1.2.3"] },
  ],
  [
    "a common name that is no name",
    () => named([[dns("a")]], subject("b")),
    denied("commonNameIsName"),
  ],
  ["the name of a control plane", () => asN(dns("cp-1.example.com")), denied("cp-1")],
  ["that in capitals", () => asN(dns("CP-1.EXAMPLE.COM")), denied("CP-1")],
  ["its address", () => asN(ip(10, 0, 0, 1)), denied("10.0.0.1")],
  [
    "its address mapped into IPv6",
    () => asN(ip(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1)),
    denied("10.0.0.1"),
  ],
];

function ec(curve: string): () => Buffer {
  return () => keyedBy("-newkey", "ec", "-pkeyopt", `ec_paramgen_curve:${curve}`);
}

type Cluster = Awaited<ReturnType<typeof openCluster>>;

const peer = "10.0.0.7:40000";
const asker = { peer, token: MACHINE_TOKEN };

/** Who is a member, and what it asks for: nothing that any row asks for. */
const other = { commonName: "z", dnsNames: ["z"], ipAddresses: [] };

async function member({ signer }: Cluster) {
  const { issued } = await signer.join(asker, await joining(ID.worker, other));
  return { peer, certificate: certificateIn(issued!.identityCrt) };
}

/** Every call that signs, and where the request stands in it. */
const calls: Readonly<Record<string, (cluster: Cluster, csr: Buffer) => Promise<Buffer>>> = {
  async Certificate({ signer }, csr) {
    return (await signer.certificate(asker, { csr })).crt;
  },
  async Join({ signer }, csr) {
    const request = { ...(await joining(ID.worker)), signing: await with_({ servingCsr: csr }) };
    return (await signer.join(asker, request)).issued!.servingCrt;
  },
  async Renew(cluster, csr) {
    const request = { signing: await with_({ servingCsr: csr }) };
    return (await cluster.signer.renew(await member(cluster), request)).issued!.servingCrt;
  },
};

/** The same for what a node is a client with. */
const identityCalls: typeof calls = {
  async Join({ signer }, csr) {
    const request = { ...(await joining(ID.worker)), signing: await with_({ identityCsr: csr }) };
    return (await signer.join(asker, request)).issued!.identityCrt;
  },
  async Renew(cluster, csr) {
    const request = { signing: await with_({ identityCsr: csr }) };
    return (await cluster.signer.renew(await member(cluster), request)).issued!.identityCrt;
  },
};

const with_ = async (requests: Partial<SigningRequest>) => ({ ...(await signing()), ...requests });

/** What a call came to: a certificate, or status and message. */
async function outcomeOf(call: (typeof calls)[string], csr: Buffer) {
  await using cluster = await openCluster();
  try {
    return certificateIn(await call(cluster, csr));
  } catch (error) {
    const { code, details } = statusOf(error, "", trustdStatuses);
    const { audit } = cluster;
    return { refused: [status[code], details], audited: audit.at(-1)?.outcome };
  }
}

const isRefusal = (answer: Row[2]): answer is readonly [Code, string] => Array.isArray(answer);

function expectRefusal(
  call: string,
  outcome: Awaited<ReturnType<typeof outcomeOf>>,
  answer: Row[2],
): void {
  const [code, text] = answer as readonly [Code, string];
  const [start = "", rest = ""] = text.split("…").map((part) => part.trim());
  expect(outcome).toMatchObject({ refused: [code, expect.stringContaining(rest)] });
  expect(outcome).toMatchObject({ refused: [code, expect.stringMatching(`^${start}`)] });
  // Of a member only its join, by a token, is on record here.
  expect(outcome).toMatchObject({ audited: call === "Renew" ? "OK" : code });
}

describe.each(rows)("asked for a certificate with %s", (_name, make, answer) => {
  let csr: Buffer;
  beforeAll(async () => {
    csr = await make();
  });

  test.each(Object.keys(calls))("%s has one answer", async (call) => {
    const outcome = await outcomeOf(calls[call]!, csr);
    if (isRefusal(answer)) {
      expectRefusal(call, outcome, answer);
      return;
    }
    const { called, ...facts } = answer;
    expect(outcome).toMatchObject({
      ...{ isCa: false, keyUsages: ["digitalSignature"], extKeyUsages: ["serverAuth"] },
      ...{ emailAddresses: [], uris: [], unknownCritical: [], ...facts },
    });
    const { subject, subjectAltNames, dnsNames, ipAddresses } = outcome as Certificate;
    expect(formatName(subject)).toBe(called);
    expect(subjectAltNames).toHaveLength(dnsNames.length + ipAddresses.length);
  });

  test.each(Object.keys(identityCalls))("%s takes no more than a key of it", async (call) => {
    const outcome = await outcomeOf(identityCalls[call]!, csr);
    if (isRefusal(answer) && answer[0] !== "PERMISSION_DENIED") {
      expectRefusal(call, outcome, answer);
      return;
    }
    expect(outcome).toMatchObject({ isCa: false, extKeyUsages: ["clientAuth"] });
    const { subject, subjectAltNames } = outcome as Certificate;
    expect(formatName(subject)).toBe(`O = trustplane:node, CN = ${ID.worker}`);
    expect(subjectAltNames).toEqual([]);
  });
});
