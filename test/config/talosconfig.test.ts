import { describe, expect, test } from "vitest";
import {
  addTalosContext,
  contextNameOf,
  infoOfContext,
  issueTalosconfig,
  mergeTalosconfigs,
  readBundle,
  readRoles,
  readTalosconfig,
  roles,
  TalosconfigParseError,
  TalosContextError,
  UnknownRolesError,
  writeTalosconfig,
} from "#config";
import { leafIssuer, organizations, readCertificate, readCertificates } from "#pki";
import { days, hours, systemRandom } from "#runtime";
import { authority, keys, messageOf, now, secretsYaml, talosconfigYaml } from "./demo.ts";

const { os } = readBundle(secretsYaml).bundle.certs;

test("the demo's talosconfig is written as it was read, byte for byte", () => {
  expect(writeTalosconfig(readTalosconfig(talosconfigYaml))).toBe(talosconfigYaml);
});

test("certificates and keys are PEM once they are read", () => {
  const { context, contexts } = readTalosconfig(talosconfigYaml);
  expect(context).toBe("demo");
  expect(contexts.demo?.ca).toBe(os.crt);
  expect(contexts.demo?.crt).toMatch(/^-----BEGIN CERTIFICATE-----\n/);
  expect(contexts.demo?.key).toMatch(/^-----BEGIN ED25519 PRIVATE KEY-----\n/);
});

test("every field of a context comes through", () => {
  const text = `context: a
contexts:
    a:
        endpoints:
            - 10.0.0.1
            - '[::1]:50000'
        nodes:
            - 10.0.0.2
        auth:
            basic:
                username: me
                password: "123"
            siderov1:
                identity: me@a.example
        cluster: c
        proxy-url: socks5://10.0.0.9
`;
  expect(writeTalosconfig(readTalosconfig(text))).toBe(text);
});

test("a target of old is an endpoint", () => {
  const { contexts } = readTalosconfig("contexts: {a: {target: 10.0.0.1, endpoints: [10.0.0.2]}}");
  expect(contexts.a?.endpoints).toEqual(["10.0.0.2", "10.0.0.1"]);
});

test("an empty file has no contexts", () => {
  expect(readTalosconfig("")).toEqual({ context: "", contexts: {} });
  expect(writeTalosconfig({ context: "", contexts: {} })).toBe('context: ""\ncontexts: {}\n');
});

test.each([
  ["a: [", /^t:\d+:\d+: /],
  ["- a\n", /^t:1: the file: has the wrong shape$/],
  ["contexts:\n  a:\n    endpoints: x\n", /^t:3: contexts\.a\.endpoints: has the wrong shape$/],
  ["contexts:\n  a:\n    ca: '%'\n", /^t:3: contexts\.a\.ca: is not base64$/],
])("%j is refused with file and line", async (text, message) => {
  expect(() => readTalosconfig(text, "t")).toThrow(TalosconfigParseError);
  expect(await messageOf(() => readTalosconfig(text, "t"))).toMatch(message);
});

describe("merging", () => {
  const context = (endpoint: string) => ({ endpoints: [endpoint] });

  test("renames what is taken, and switches to the incoming context", () => {
    const into = { context: "a", contexts: { a: context("1"), "a-1": context("2") } };
    const from = { context: "a", contexts: { a: context("3"), b: context("4") } };
    const { config, renamed } = mergeTalosconfigs(into, from);
    expect(renamed).toEqual([{ from: "a", to: "a-2" }]);
    expect(config).toEqual({
      context: "a-2",
      contexts: { a: context("1"), "a-1": context("2"), "a-2": context("3"), b: context("4") },
    });
    expect(Object.keys(into.contexts)).toEqual(["a", "a-1"]);
  });

  test("stays where it is when nothing is current over there", () => {
    const into = { context: "a", contexts: { a: context("1") } };
    expect(mergeTalosconfigs(into, { context: "", contexts: {} }).config).toEqual(into);
  });
});

describe("adding", () => {
  const demo = readTalosconfig(talosconfigYaml);
  test("keeps the current context", () => {
    const { context, contexts } = addTalosContext(demo, "b", { endpoints: [], ca: os.crt });
    expect([context, Object.keys(contexts)]).toEqual(["demo", ["demo", "b"]]);
  });

  test("refuses a name that is taken, and half an identity", () => {
    expect(() => addTalosContext(demo, "demo", { endpoints: [] })).toThrow(TalosContextError);
    expect(() => addTalosContext(demo, "b", { endpoints: [], crt: "x" })).toThrow(
      TalosContextError,
    );
  });
});

describe("info", () => {
  test("has the roles and the end of the certificate", () => {
    const { contexts } = readTalosconfig(talosconfigYaml);
    const { crt = "" } = contexts.demo ?? {};
    expect(infoOfContext({ endpoints: [], crt })).toEqual({
      roles: ["os:admin"],
      notAfter: readCertificate(crt).notAfter,
    });
  });

  test("has nothing to say without a certificate", () => {
    expect(infoOfContext({ endpoints: [] })).toBeUndefined();
  });
});

describe("issuing", () => {
  const issueLeaf = leafIssuer({ keys, random: systemRandom });
  const request = { authority: os, contextName: "demo", now, issueLeaf };

  test("makes one context with a certificate of the roles, and survives being written", async () => {
    const issued = await issueTalosconfig({
      ...request,
      roles: ["os:reader", "os:admin"],
      endpoints: ["10.0.0.1"],
      nodes: ["10.0.0.2"],
    });
    expect(readTalosconfig(writeTalosconfig(issued))).toEqual(issued);
    const context = issued.contexts.demo;
    expect(issued.context).toBe("demo");
    expect(context).toMatchObject({ endpoints: ["10.0.0.1"], nodes: ["10.0.0.2"], ca: os.crt });
    const certificate = readCertificate(context?.crt ?? "");
    expect([...organizations(certificate.subject)]).toEqual(["os:admin", "os:reader"]);
    expect(certificate.extKeyUsages).toEqual(["clientAuth"]);
    expect(certificate.notAfter).toBe(now + hours(8760));
  });

  test("obeys the lifetime, and trusts every accepted authority once", async () => {
    const other = await authority();
    const { contexts } = await issueTalosconfig({
      ...request,
      roles: ["os:reader"],
      lifetime: days(1),
      acceptedCAs: [other.crt, os.crt],
    });
    expect(readCertificate(contexts.demo?.crt ?? "").notAfter).toBe(now + days(1));
    const trusted = readCertificates(contexts.demo?.ca ?? "").map(({ pem }) => pem);
    expect(trusted).toEqual([other.crt, os.crt]);
  });

  test("refuses roles that Talos does not have", async () => {
    const issuing = issueTalosconfig({ ...request, roles: ["os:king", "os:admin", "root"] });
    await expect(issuing).rejects.toThrow(UnknownRolesError);
    await expect(issuing).rejects.toThrow(/^unknown roles: os:king, root \(known: os:admin, /);
  });
});

test("there are seven roles; lists of them are trimmed, sorted, without repeats", () => {
  expect(Object.keys(roles)).toHaveLength(7);
  expect(readRoles([" os:reader", "", "os:admin", "os:reader"])).toEqual(["os:admin", "os:reader"]);
});

test.each([
  [["os:admin"], "admin@c"],
  [["os:etcd:backup"], "etcd:backup@c"],
  [["os:admin", "os:reader"], "c"],
])("the context of %j is %s", (list, name) => {
  expect(contextNameOf("c", list)).toBe(name);
});
