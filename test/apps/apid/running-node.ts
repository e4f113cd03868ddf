/** apid over a memory store, with an authority of its own and clients of every sort. */
import { credentials, type ServiceError } from "@grpc/grpc-js";
import { z } from "zod";
import { connect, type Client } from "../../../src/apps/client/index.ts";
import { MachineServiceClient } from "../../../src/apps/rpc/gen/machine/machine.ts";
import { opensslKey } from "../../../src/apps/rpc/openssl-key.ts";
import { startApid, type ApidOptions } from "../../../src/apps/apid/index.ts";
import {
  authorityPem,
  authorityProfiles,
  issueAuthority,
  defaultInForce,
  leafIssuer,
  leafProfiles,
  webCryptoKeys,
  type KeyedPem,
  type LeafProfile,
  type LeafRequest,
} from "#pki";
import { defineResource, systemClock, systemRandom, type Instant, type Logger } from "#runtime";
import { openMemoryStore } from "#runtime/store";

export const Namespace = defineResource({
  type: "Namespaces.meta.cosi.dev",
  namespace: "meta",
  spec: z.object({ description: z.string() }),
});
export const Note = defineResource({
  type: "Notes.test.example.dev",
  namespace: "test",
  spec: z.object({ text: z.string() }),
});
export const Secret = defineResource({
  type: "Secrets.test.example.dev",
  namespace: "test",
  sensitivity: "sensitive",
  spec: z.object({ key: z.string() }),
});

const keys = webCryptoKeys();
const random = systemRandom;
const now = systemClock.now();
export const issueLeaf = leafIssuer({ keys, random });

export const issueRoot = async (moment: Instant = now): Promise<KeyedPem> =>
  authorityPem(await issueAuthority(authorityProfiles.os, { keys, random, now: moment }));

/** A serving identity of the node, for its loopback addresses. */
export const issueServer = (authority: KeyedPem, request: Partial<LeafRequest> = {}) =>
  issueLeaf({
    profile: leafProfiles.apidServer,
    authority,
    commonName: "node-1",
    dnsNames: ["localhost"],
    ipAddresses: ["127.0.0.1", "::1"],
    now,
    ...request,
  });

/** Clients come with certificates that no policy would let us issue. */
const lawless = { ...defaultInForce(), checks: { talosClient: [] } };
const issueAnyClient = leafIssuer({ keys, random, policy: () => lawless });

/** A client with these roles. */
export const issueClient = (
  authority: KeyedPem,
  organizations: readonly string[] = ["os:admin"],
  {
    profile,
    ...request
  }: Partial<Omit<LeafRequest, "profile">> & { profile?: Partial<LeafProfile> } = {},
) =>
  issueAnyClient({
    profile: { ...leafProfiles.talosClient, ...profile },
    authority,
    organizations,
    now,
    ...request,
  });

/** Keeps what is logged, and lets a test wait for a line of it. */
export function recordingLogger() {
  const lines: (Record<string, unknown> & { message: string })[] = [];
  const waiting = new Set<() => void>();
  const write = (fields: object, message: string) => {
    lines.push({ ...fields, message });
    for (const look of waiting) look();
  };
  const log: Logger = {
    ...{ debug: write, info: write, warn: write, error: write },
    child: () => log,
  };
  const line = (part: string) =>
    new Promise<(typeof lines)[number]>((resolve) => {
      const look = () => {
        const found = lines.find(({ message }) => message.includes(part));
        if (found === undefined) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      look();
    });
  return { log, lines, line };
}

export type RunningNode = Awaited<ReturnType<typeof runNode>>;

export async function runNode(options: Partial<ApidOptions> = {}) {
  const root = await issueRoot();
  const server = await issueServer(root);
  const store = openMemoryStore();
  await store.create(Namespace, "meta", { description: "" });
  await store.create(Namespace, "test", { description: "" });
  const { log, lines, line } = recordingLogger();
  const material = { key: server.key, cert: server.crt, ca: [root.crt] };
  const address = options.address ?? "127.0.0.1";
  const apid = await startApid({
    address,
    port: 0,
    material,
    store,
    kinds: [Namespace, Note, Secret],
    clock: systemClock,
    log,
    ports: {
      build: { sha: "0123abc", built: "2030-01-01T00:00:00Z" },
      applyConfiguration: async () => ({ warnings: [], modeDetails: "" }),
      issueClientConfiguration: async ({ roles, lifetime }) => ({
        ca: root.crt,
        crt: roles.join(),
        key: "key",
        talosconfig: `lifetime: ${lifetime}`,
      }),
    },
    ...options,
  });
  const clients: Client[] = [];
  const client = (identity: KeyedPem, more: Partial<Parameters<typeof connect>[0]> = {}) => {
    const made = connect({
      endpoints: [address],
      port: apid.port,
      ca: root.crt,
      ...identity,
      source: "the test",
      clock: systemClock,
      ...more,
    });
    clients.push(made);
    return made;
  };
  return {
    root,
    server,
    material,
    store,
    apid,
    lines,
    line,
    client,
    admin: async (more?: Parameters<typeof client>[1]) => client(await issueClient(root), more),
    async [Symbol.asyncDispose]() {
      for (const made of clients) made.close();
      await apid.close();
      await store.close();
    },
  };
}

/** What a client that checks nothing about itself is made with; without an identity it has none. */
export function clientCredentials(root: KeyedPem, identity?: KeyedPem) {
  const pem = (text?: string) => (text === undefined ? null : Buffer.from(opensslKey(text)));
  const ssl = credentials.createSsl(Buffer.from(root.crt), pem(identity?.key), pem(identity?.crt), {
    checkServerIdentity: () => undefined,
  });
  return [ssl, { "grpc.ssl_target_name_override": "node.invalid" }] as const;
}

/** A machine service client that checks nothing about itself; without an identity it has none. */
export function rawClient({ root, apid }: RunningNode, identity?: KeyedPem, options: object = {}) {
  const [ssl, common] = clientCredentials(root, identity);
  return new MachineServiceClient(`ipv4:127.0.0.1:${apid.port}`, ssl, { ...common, ...options });
}

/** The reply to a unary call of a raw client. */
export const reply = <Response>(
  start: (callback: (error: ServiceError | null, response: Response) => void) => unknown,
) =>
  new Promise<Response>((resolve, reject) => {
    start((error, response) => {
      if (error) reject(error);
      else resolve(response);
    });
  });

/** Everything that comes. */
export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}
