/** trustd on a port of this machine, and raw clients of it. */
import { credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { leafProfiles } from "#pki";
import { MachineToken, OSRoot } from "#resources";
import { silentLogger, systemClock, systemRandom, type Logger } from "#runtime";
import { openMemoryStore } from "#runtime/store";
import type { AuditEntry } from "../../../src/apps/audit/index.ts";
import { NodeServiceClient } from "../../../src/apps/rpc/gen/node/node.ts";
import { SecurityServiceClient } from "../../../src/apps/rpc/gen/security/security.ts";
import { openSigner } from "../../../src/apps/trustd/open-signer.ts";
import { startTrustd } from "../../../src/apps/trustd/server.ts";
import { tokenHash } from "../../../src/apps/trustd/token-state.ts";
import { issueRoot, issueServer } from "../apid/running-node.ts";
import { keys, MACHINE_TOKEN } from "./cluster.ts";

export const issueTrustd = (authority: Awaited<ReturnType<typeof issueRoot>>) =>
  issueServer(authority, { profile: leafProfiles.trustdServer });

/** Serves a cluster whose authority is of Ed25519, by the clock of the machine. */
export async function serveTrustd(
  options: {
    readonly log?: Logger;
    readonly port?: number;
    /** What a line of the audit log waits for. */
    readonly until?: (entry: AuditEntry) => Promise<unknown>;
  } = {},
) {
  const { log = silentLogger, port = 0 } = options;
  const clock = systemClock;
  const store = openMemoryStore({ clock });
  const root = await issueRoot();
  await store.create(OSRoot, "os", {
    ...{ issuingCA: root, certSANIPs: [], certSANDNSNames: [], token: MACHINE_TOKEN },
    acceptedCAs: [{ crt: root.crt }],
  });
  await store.create(MachineToken, "trustd", { hash: tokenHash(MACHINE_TOKEN), former: [] });
  const audit: AuditEntry[] = [];
  const signer = await openSigner({
    ...{ store, clock, random: systemRandom, keys, log, apiPort: () => 50000 },
    async record(entry) {
      audit.push(entry);
      await options.until?.(entry);
    },
  });
  const material = await issueTrustd(root);
  const trustd = await startTrustd({ address: "127.0.0.1", port, material, signer, clock, log });
  const clients: (SecurityServiceClient | NodeServiceClient)[] = [];
  const opened = <Client extends SecurityServiceClient | NodeServiceClient>(client: Client) => {
    clients.push(client);
    return client;
  };
  const dial = () =>
    [
      `127.0.0.1:${trustd.port}`,
      credentials.createSsl(Buffer.from(root.crt)),
      // Each has a connection of its own.
      { "grpc.use_local_subchannel_pool": 1 },
    ] as const;
  return {
    ...{ trustd, signer, store, root, audit },
    security: () => opened(new SecurityServiceClient(...dial())),
    node: () => opened(new NodeServiceClient(...dial())),
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.close();
      await trustd.close();
      await signer.close();
      await store.close();
    },
  };
}

/** Headers with a token. */
export function withToken(token: string | undefined): Metadata {
  const metadata = new Metadata();
  if (token !== undefined) metadata.set("token", token);
  return metadata;
}

/** The answer to a call, or the error that it ended with. */
export const answer = <Response>(
  call: (done: (error: ServiceError | null, response?: Response) => void) => unknown,
): Promise<Response> =>
  new Promise((resolve, reject) => {
    call((error, response) => {
      if (error) reject(error);
      else resolve(response as Response);
    });
  });
