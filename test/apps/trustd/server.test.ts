/** talos-pki.md §7 on the wire: raw gRPC clients of trustd. */
import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";
import { makeClientConstructor, status } from "@grpc/grpc-js";
import { formatName, type PrivateKey } from "#pki";
import type { Logger } from "#runtime";
import { expect, test } from "vitest";
import type { JoinResponse } from "../../../src/apps/rpc/gen/node/node.ts";
import type { CertificateResponse } from "../../../src/apps/rpc/gen/security/security.ts";
import { certificateIn, csr, ID, joining, key as p256, keys, MACHINE_TOKEN } from "./cluster.ts";
import { answer, issueTrustd, serveTrustd, withToken } from "./served.ts";

const key: PrivateKey = await keys.issueKey("Ed25519"); // as the authority's

type Served = Awaited<ReturnType<typeof serveTrustd>>;

const certificate = (served: Served, token: string | undefined, request: Buffer) => {
  const client = served.security();
  return answer<CertificateResponse>((done) =>
    client.certificate({ csr: request }, withToken(token), done),
  );
};

test("a certificate is handed out to who has the token, with every authority", async () => {
  await using served = await serveTrustd();
  const { ca, crt } = await certificate(served, MACHINE_TOKEN, await csr({ key }));
  expect(ca.toString()).toBe(served.root.crt);
  expect(formatName(certificateIn(crt).subject)).toBe("CN = worker-1.example.com");
});

test("a node joins on the same port", async () => {
  await using served = await serveTrustd();
  const client = served.node();
  const request = await joining(ID.worker, { key });
  const { issued } = await answer<JoinResponse>((done) =>
    client.join(request, withToken(MACHINE_TOKEN), done),
  );
  expect(issued).toMatchObject({ machineType: "worker", apiPort: 50000 });
});

test("refusals have the statuses and the words of Talos", async () => {
  await using served = await serveTrustd();
  const good = await csr({ key });
  const refusals: readonly [string | undefined, Buffer, object][] = [
    [undefined, good, { code: status.UNAUTHENTICATED, details: "missing token" }],
    ["wrong", good, { code: status.UNAUTHENTICATED, details: "invalid token" }],
    [
      MACHINE_TOKEN,
      Buffer.from("no PEM"),
      { code: status.INVALID_ARGUMENT, details: "failed to decode CSR" },
    ],
    [
      MACHINE_TOKEN,
      Buffer.from(good.toString().replace(/\n.{8}/, "\nAAAAAAAA")),
      {
        code: status.INVALID_ARGUMENT,
        details: expect.stringMatching(/^failed to parse CSR: ./) as string,
      },
    ],
    [
      MACHINE_TOKEN,
      await csr({ key: p256 }),
      { code: status.INTERNAL, details: expect.stringMatching(/^failed to sign CSR: ./) as string },
    ],
  ];
  for (const [token, request, refusal] of refusals)
    await expect(certificate(served, token, request)).rejects.toMatchObject(refusal);
});

test("nothing else is served, and no call may be larger than a request is", async () => {
  await using served = await serveTrustd();
  const client = served.node();
  await expect(
    answer((done) => client.renew({ signing: undefined }, withToken(MACHINE_TOKEN), done)),
  ).rejects.toMatchObject({ code: status.UNIMPLEMENTED });
  const bytes = { requestStream: true, responseStream: true } as const;
  const through = (buffer: Buffer) => buffer;
  const Streaming = makeClientConstructor(
    {
      certificate: {
        ...{ path: "/securityapi.SecurityService/CertificateStream", ...bytes },
        ...{ requestSerialize: through, requestDeserialize: through },
        ...{ responseSerialize: through, responseDeserialize: through },
      },
    },
    "streaming",
  );
  const security = served.security();
  const streaming = new Streaming("unused", undefined as never, {
    channelOverride: security.getChannel(),
  });
  const stream = (streaming.certificate as () => NodeJS.EventEmitter).call(streaming);
  const [error] = (await once(stream, "error")) as [{ code: number }];
  expect(error.code).toBe(status.UNIMPLEMENTED);
  await expect(certificate(served, MACHINE_TOKEN, Buffer.alloc(1024 * 1024))).rejects.toMatchObject(
    { code: status.RESOURCE_EXHAUSTED },
  );
});

test("clients need no certificate, and no TLS before 1.2 will do", async () => {
  await using served = await serveTrustd();
  const { port } = served.trustd;
  const dial = {
    host: "127.0.0.1",
    port,
    ca: served.root.crt,
    servername: "",
    ALPNProtocols: ["h2"],
  };
  const socket = connectTls({ ...dial, maxVersion: "TLSv1.2" });
  await once(socket, "secureConnect");
  expect([socket.getProtocol(), socket.authorized]).toEqual(["TLSv1.2", true]);
  socket.destroy();
  const old = connectTls({
    ...dial,
    minVersion: "TLSv1.1",
    maxVersion: "TLSv1.1",
    ciphers: "ALL:@SECLEVEL=0",
  });
  await expect(once(old, "secureConnect")).rejects.toThrow();
});

test("another certificate is presented from the next handshake on, and calls go on", async () => {
  await using served = await serveTrustd();
  const client = served.security();
  const request = { csr: await csr({ key }) };
  const ask = () =>
    answer<CertificateResponse>((done) =>
      client.certificate(request, withToken(MACHINE_TOKEN), done),
    );
  await ask();
  const next = await issueTrustd(served.root);
  served.trustd.rotate(next);
  await ask(); // over the connection that was open
  const socket = connectTls({
    ...{ host: "127.0.0.1", port: served.trustd.port, ca: served.root.crt, servername: "" },
    ALPNProtocols: ["h2"],
  });
  await once(socket, "secureConnect");
  expect(socket.getPeerX509Certificate()?.fingerprint256.replaceAll(":", "").toLowerCase()).toBe(
    certificateIn(Buffer.from(next.crt)).fingerprint,
  );
  socket.destroy();
  expect(() => served.trustd.rotate({ ...next, key: served.root.key })).toThrow(/not the one of/);
  await ask();
});

test("a port in use is named, with the flag that another is chosen by", async () => {
  await using served = await serveTrustd();
  const { port } = served.trustd;
  await expect(serveTrustd({ port })).rejects.toMatchObject({
    code: "ERR_PORT_IN_USE",
    message: `cannot listen on 127.0.0.1:${port}: the port is in use: stop what listens there or choose another with --trustd-port`,
  });
});

test("each request is logged with who asks and for what, and no token is anywhere", async () => {
  const lines: string[] = [];
  const write = (fields: object, message: string) =>
    void lines.push(JSON.stringify([fields, message]));
  const log: Logger = { debug: write, info: write, warn: write, error: write, child: () => log };
  await using served = await serveTrustd({ log });
  await certificate(served, MACHINE_TOKEN, await csr({ key }));
  const other = "0ther1.fedcba9876543210";
  await expect(certificate(served, other, await csr({ key }))).rejects.toThrow("invalid token");
  const client = served.node();
  const asId = { ...(await joining(ID.worker, { key })), nodeId: MACHINE_TOKEN };
  const refused = answer((done) => client.join(asId, withToken(MACHINE_TOKEN), done));
  await expect(refused).rejects.toThrow(/nodeId: has to be 44 digits/);
  const [told] = lines.filter((line) => line.includes("certificate requested"));
  expect(told).toMatch(/"peer":"127.0.0.1:\d+","subject":"CN = worker-1.example.com"/);
  expect(told).toContain('"dnsNames":["worker-1","worker-1.example.com"]');
  expect(told).toContain('"ipAddresses":["10.0.0.7","127.0.0.1"]');
  const everything = lines.join("\n") + JSON.stringify(served.audit);
  expect(everything).not.toMatch(/0123456789abcdef|fedcba9876543210/);
});

test("who was refused often has handshakes limited, before they cost anything", async () => {
  await using served = await serveTrustd();
  const { limits } = served.signer;
  for (let i = 0; i < 20; i++) limits.refused("127.0.0.1:40000", undefined, new Error("no"));
  while (limits.mayShakeHands("127.0.0.1")); // the burst is used up
  const socket = connectTcp({ host: "127.0.0.1", port: served.trustd.port });
  socket.write("what would be a handshake");
  await once(socket, "close");
});

test("what is under way when it closes is answered, and nothing new is taken", async () => {
  const begun = Promise.withResolvers<undefined>();
  const mayGoOn = Promise.withResolvers<undefined>();
  const served = await serveTrustd({
    until(entry) {
      if (entry.outcome !== "BEGUN") return Promise.resolve();
      begun.resolve(undefined);
      return mayGoOn.promise;
    },
  });
  const asked = certificate(served, MACHINE_TOKEN, await csr({ key }));
  await begun.promise;
  const closed = served.trustd.close();
  mayGoOn.resolve(undefined);
  await expect(asked).resolves.toMatchObject({ ca: Buffer.from(served.root.crt) });
  await closed;
  const socket = connectTcp({ host: "127.0.0.1", port: served.trustd.port });
  await expect(once(socket, "connect")).rejects.toThrow(/ECONNREFUSED/);
  await served[Symbol.asyncDispose]();
});
