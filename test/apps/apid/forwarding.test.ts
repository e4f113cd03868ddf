/** Requests for other nodes, asked of one of three (talosctl-wire.md §1.4, talos-pki.md §8.2–8.3). */
import { Metadata, status, type ServiceError } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { KeyedPem } from "#pki";
import { StateClient } from "#runtime/rpc";
import {
  ApplyConfigurationRequest_Mode as Mode,
  MachineServiceClient,
  type ApplyConfigurationResponse,
  type VersionResponse,
} from "../../../src/apps/rpc/gen/machine/machine.ts";
import { clientCredentials, issueClient, Note, reply, Secret } from "./running-node.ts";
import { startNode, startThree, type Three } from "./three-nodes.ts";

const notes = { namespace: "test", type: Note.type };
const secrets = { namespace: "test", type: Secret.type };
const configuration = (text: string) => ({
  ...{ data: Buffer.from(text), mode: Mode.AUTO, dryRun: false, tryModeTimeout: undefined },
});

let three: Three;
beforeAll(async () => {
  three = await startThree();
});
afterAll(() => three[Symbol.asyncDispose]());

/** What a client of the first node that sends these headers gets. */
async function asked<Response>(
  identity: KeyedPem,
  headers: Readonly<Record<string, string | readonly string[]>>,
  start: (
    machine: MachineServiceClient,
    metadata: Metadata,
    done: (error: ServiceError | null, response: Response) => void,
  ) => unknown,
  at = `ipv4:127.0.0.2:${three.port}`,
): Promise<Response> {
  const machine = new MachineServiceClient(at, ...clientCredentials(three.root, identity));
  const metadata = new Metadata();
  for (const [name, values] of Object.entries(headers))
    for (const value of [values].flat()) metadata.add(name, value);
  try {
    return await reply<Response>((done) => start(machine, metadata, done));
  } finally {
    machine.close();
  }
}

const versions = async (headers: Parameters<typeof asked>[1], identity?: KeyedPem, at?: string) =>
  (
    await asked<VersionResponse>(
      identity ?? (await issueClient(three.root)),
      headers,
      (machine, metadata, done) => machine.version({}, metadata, done),
      at,
    )
  ).messages;

describe("the header node", () => {
  test("another node answers, in its own words and without a name", async () => {
    expect(await versions({ node: "127.0.0.3" })).toMatchObject([
      { metadata: undefined, version: { sha: "127.0.0.3" } },
    ]);
  });

  test("a port may stand with the name, which is looked up", async () => {
    const answer = await versions({ node: `127.0.0.4:${three.port}` });
    expect(answer[0]?.version?.sha).toBe("127.0.0.4");
    await expect(versions({ node: "nobody.invalid" })).rejects.toMatchObject({
      code: status.UNAVAILABLE,
      details: expect.stringContaining("node nobody.invalid cannot be reached: ") as string,
    });
  });

  test("resources are read there: one, a list, a watch, and it goes on for as long as both do", async () => {
    const client = await three.client();
    const node = "127.0.0.3";
    expect((await client.get({ ...notes, id: node }, { node })).metadata.id).toBe(node);
    expect((await client.list(notes, { node })).map(({ metadata }) => metadata.id)).toEqual([node]);
    const events = client.watch(notes, { node })[Symbol.asyncIterator]();
    expect((await events.next()).value).toMatchObject({ type: "created" });
    expect((await events.next()).value).toEqual({ type: "bootstrapped" });
    const [, second] = three.nodes;
    await second.store.create(Note, "later", { text: "" });
    expect((await events.next()).value).toMatchObject({
      resource: { metadata: { id: "later" } },
    });
    await events.return?.();
    await second.store.destroy({ ...notes, id: "later" });
  });

  test("a change is made there, and nowhere else", async () => {
    const client = await three.client();
    await client.applyConfiguration({ data: "for the third" }, { node: "127.0.0.4" });
    expect(three.nodes.map(({ applied }) => applied)).toEqual([[], [], ["for the third"]]);
  });

  test("a refusal comes as it was spoken", async () => {
    const client = await three.client();
    const node = "127.0.0.4";
    await expect(client.applyConfiguration({ data: "refused" }, { node })).rejects.toThrow(
      "rpc error: code = InvalidArgument desc = refused by 127.0.0.4",
    );
    await expect(client.get({ ...notes, id: "x" }, { node })).rejects.toThrow("code = NotFound");
  });

  test("what is no name is the caller's mistake", async () => {
    await expect(versions({ node: "https://127.0.0.3" })).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
    });
  });

  test("several endpoints are one authority, with a comma", async () => {
    const at = `ipv4:127.0.0.2:${three.port},127.0.0.3:${three.port}`;
    const identity = await issueClient(three.root);
    const machine = new MachineServiceClient(at, clientCredentials(three.root, identity)[0], {
      ...clientCredentials(three.root, identity)[1],
      "grpc.default_authority": "127.0.0.2:50000,127.0.0.3:50000",
    });
    const metadata = new Metadata();
    metadata.set("node", "127.0.0.4");
    const { messages } = await reply<VersionResponse>((done) =>
      machine.version({}, metadata, done),
    );
    machine.close();
    expect(messages[0]?.version?.sha).toBe("127.0.0.4");
  });
});

describe("the header nodes", () => {
  const all = ["127.0.0.2", "127.0.0.3", "127.0.0.4"];

  test("each node has a message that names it, in the order of the request", async () => {
    const named = (await versions({ nodes: [...all].reverse() })).map(({ metadata, version }) => [
      metadata?.hostname,
      metadata?.error,
      version?.sha,
    ]);
    expect(named).toEqual([...all].reverse().map((address) => [address, "", address]));
  });

  test("nodes that fail, this one among them, are messages that say so", async () => {
    const { messages } = await asked<ApplyConfigurationResponse>(
      await issueClient(three.root),
      { nodes: all },
      (machine, metadata, done) =>
        machine.applyConfiguration(configuration("refused"), metadata, done),
    );
    expect(messages).toMatchObject(
      all.map((hostname) => {
        const message = `refused by ${hostname}`;
        const code = status.INVALID_ARGUMENT;
        return { metadata: { hostname, error: message, status: { code, message } } };
      }),
    );
  });

  test("a node is asked once, however often it is named", async () => {
    const before = three.nodes.map(({ applied }) => applied.length);
    const { messages } = await asked<ApplyConfigurationResponse>(
      await issueClient(three.root),
      { nodes: ["127.0.0.3", "127.0.0.2", "127.0.0.3", "127.0.0.2"] },
      (machine, metadata, done) =>
        machine.applyConfiguration(configuration("once"), metadata, done),
    );
    expect(messages).toHaveLength(2);
    expect(three.nodes.map(({ applied }, i) => applied.length - before[i]!)).toEqual([1, 1, 0]);
  });
});

describe("roles", () => {
  test("they are those of the caller, and decided on by the node that is asked", async () => {
    const reader = await three.client(["os:reader"]);
    const node = "127.0.0.3";
    await expect(reader.list(secrets, { node })).rejects.toThrow("desc = not authorized");
    expect(await (await three.client()).list(secrets, { node })).toHaveLength(1);
  });

  test("who is no impersonator cannot say others", async () => {
    const reader = await issueClient(three.root, ["os:reader"]);
    const claimed = { "talos-role": ["os:admin"], proxyfrom: "127.0.0.9:50000" };
    const apply = (headers: Parameters<typeof asked>[1]) =>
      asked<ApplyConfigurationResponse>(reader, headers, (machine, metadata, done) =>
        machine.applyConfiguration(configuration("smuggled"), metadata, done),
      );
    const refusal = { code: status.PERMISSION_DENIED, details: "not authorized" };
    await expect(apply({ ...claimed })).rejects.toMatchObject(refusal);
    await expect(apply({ ...claimed, node: "127.0.0.3" })).rejects.toMatchObject(refusal);
    await expect(apply({ node: "127.0.0.3", "talos-role": "os:admin" })).rejects.toMatchObject(
      refusal,
    );
  });

  test("a header of the caller does not reach the other node in place of its roles", async () => {
    const reader = await issueClient(three.root, ["os:reader"]);
    const at = `ipv4:127.0.0.2:${three.port}`;
    const state = new StateClient(at, ...clientCredentials(three.root, reader));
    const metadata = new Metadata();
    metadata.set("node", "127.0.0.3");
    metadata.set("talos-role", "os:admin");
    const id = "127.0.0.3";
    const got = reply((done) => state.get({ ...secrets, id, options: undefined }, metadata, done));
    await expect(got).rejects.toMatchObject({ code: status.PERMISSION_DENIED });
    state.close();
  });

  test("two roles in one text stay one that nobody knows", async () => {
    const odd = await issueClient(three.root, ["os:reader", "x,os:admin"]);
    const at = `ipv4:127.0.0.2:${three.port}`;
    const state = new StateClient(at, ...clientCredentials(three.root, odd));
    const metadata = new Metadata();
    metadata.set("node", "127.0.0.3");
    const got = reply((done) =>
      state.get({ ...secrets, id: "127.0.0.3", options: undefined }, metadata, done),
    );
    await expect(got).rejects.toMatchObject({ code: status.PERMISSION_DENIED });
    state.close();
  });
});

test("a worker passes nothing on, and answers for itself", async () => {
  const worker = await startNode(three.root, { address: "127.0.0.5", isWorker: true });
  const at = `ipv4:127.0.0.5:${worker.apid.port}`;
  const refusal = { code: status.PERMISSION_DENIED, details: "no request forwarding" };
  await expect(versions({ node: "127.0.0.3" }, undefined, at)).rejects.toMatchObject(refusal);
  await expect(versions({ nodes: "127.0.0.3" }, undefined, at)).rejects.toMatchObject(refusal);
  expect(await versions({ node: "127.0.0.5" }, undefined, at)).toHaveLength(1);
  expect(await versions({ nodes: ["127.0.0.5", "127.0.0.3"] }, undefined, at)).toMatchObject([
    { metadata: { hostname: "127.0.0.5", error: "" } },
    { metadata: { hostname: "127.0.0.3", error: "no request forwarding", status: { code: 7 } } },
  ]);
  await worker.close();
});

test("a single node on the sixth version of the protocol answers to its names", async () => {
  const node = await startNode(three.root, { address: "::1" });
  const at = `ipv6:[::1]:${node.apid.port}`;
  for (const name of ["::1", "0:0::1", "localhost"])
    expect(await versions({ node: name }, undefined, at)).toMatchObject([
      { version: { sha: "::1" } },
    ]);
  const named = { nodes: ["::1", `[::1]:${node.apid.port}`] };
  expect((await versions(named, undefined, at)).map(({ metadata }) => metadata?.error)).toEqual([
    "",
    "",
  ]);
  await node.close();
});
