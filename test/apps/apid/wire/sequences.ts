/** The steps that several commands of talosctl begin with (talosctl-wire.md §2, §2.1). */
import type { MethodDefinition } from "@grpc/grpc-js";
import { expect } from "vitest";
import type { Metadata } from "../../../../src/apps/rpc/gen/common/common.ts";
import { MachineServiceService as Machine } from "../../../../src/apps/rpc/gen/machine/machine.ts";
import type { Resource } from "../../../../src/runtime/rpc/gen/v1alpha1/resource.ts";
import {
  StateService as State,
  type Event,
  type WatchOptions,
} from "../../../../src/runtime/rpc/gen/v1alpha1/state.ts";
import { from, to } from "./control-plane.ts";
import { definitionOf, matching, type Definition } from "./specs.ts";
import { StatusError, type Call, type Generation, type Talosctl } from "./talosctl.ts";

const options = { labelQuery: [], idQuery: undefined };

/** A message that can say which node it is of, and that this node failed. */
interface Named {
  readonly metadata?: Metadata | undefined;
}

/**
 * Reads a message as the CLI does: a failed node is a message of its own, and the name is there for
 * those that merge nothing themselves.
 *
 * @throws {StatusError} of the node
 */
export function answered<Message extends Named>(message: Message, generation: Generation): Message {
  const { error = "", status } = message.metadata ?? {};
  if (error !== "") throw new StatusError({ code: status?.code ?? 2, message: error });
  expect(message.metadata).toEqual(from(generation));
  return message;
}

/** A unary call of one node: its one message. @throws {StatusError} */
export async function ask<Request, Message extends Named>(
  talosctl: Talosctl,
  method: MethodDefinition<Request, { messages: Message[] }>,
  request: Request,
  generation: Generation,
): Promise<Message> {
  const { messages } = await talosctl.unary(method, request, to(generation));
  expect(messages, method.path).toHaveLength(1);
  return answered(messages[0]!, generation);
}

/** All messages of a stream of one node. @throws {StatusError} */
export async function askAll<Request, Message extends Named>(
  talosctl: Talosctl,
  method: MethodDefinition<Request, Message>,
  request: Request,
  generation: Generation,
): Promise<Message[]> {
  const messages = await talosctl.call(method, request, to(generation)).all();
  return messages.map((message) => answered(message, generation));
}

/** Asks for the version and reads it as the client version check does. */
export async function checkVersion(talosctl: Talosctl, generation: Generation) {
  const message = await ask(talosctl, Machine.version, {}, generation);
  expect(message.version, "the CLI dereferences it").toBeDefined();
  const parsed = /^v?([0-9]+)(?:\.([0-9]+))?(?:\.[0-9]+)?$/.exec(message.version?.tag ?? "");
  expect(parsed, "a version that the CLI can parse, and no prerelease").not.toBeNull();
  const [major = 0, minor = 0] = (parsed ?? []).slice(1).map(Number);
  expect(major * 1000 + minor, "an older server than the CLI").toBeGreaterThanOrEqual(1014);
  return message;
}

/** All resources of a kind, each in a message. COSI calls name one node in every generation. */
export async function list(talosctl: Talosctl, namespace: string, type: string) {
  const found = await talosctl.call(State.list, { namespace, type, options }, to("node")).all();
  return found.map(({ resource }): Resource => {
    expect(resource).toBeDefined();
    return resource!;
  });
}

/** One resource. */
export async function get(talosctl: Talosctl, namespace: string, type: string, id: string) {
  const request = { namespace, type, id, options: {} };
  const { resource } = await talosctl.unary(State.get, request, to("node"));
  return resource;
}

/** The definitions of all kinds. */
export async function definitions(talosctl: Talosctl): Promise<Definition[]> {
  const found = await list(talosctl, "meta", "ResourceDefinitions.meta.cosi.dev");
  return found.map(definitionOf);
}

/** The kind that a word stands for. */
export async function resolve(talosctl: Talosctl, word: string): Promise<Definition> {
  const found = matching(await definitions(talosctl), word);
  expect(
    found.map(({ type }) => type),
    word,
  ).toHaveLength(1);
  return found[0]!;
}

/** A watch as clients see it: one event after the other, however many come in a message. */
export interface Watching {
  /** The first message, which has to be empty. */
  armed(): Promise<void>;
  next(): Promise<Event>;
  readonly call: Call<unknown>;
}

/** Starts `get -w`, of a kind or of one resource. */
export function watch(
  talosctl: Talosctl,
  { namespace, type, id }: { namespace: string; type: string; id?: string },
  more: Partial<WatchOptions> & { readonly apiVersion?: number } = {},
): Watching {
  const { apiVersion = 1, ...given } = more;
  const watching: WatchOptions = {
    ...{ bootstrapContents: id === undefined, tailEvents: 0, labelQuery: [], idQuery: undefined },
    ...{ aggregated: false, startFromBookmark: undefined, bootstrapBookmark: false },
    ...given,
  };
  const request = { namespace, type, id, options: watching, apiVersion };
  const call = talosctl.call(State.watch, request, to("node"));
  const held: Event[] = [];
  return {
    call,
    async armed() {
      expect((await call.next()).event, "the first message is swallowed").toEqual([]);
    },
    async next() {
      if (held.length === 0) {
        held.push(...(await call.next()).event);
        expect(held, "only the first message is empty").not.toEqual([]);
      }
      return held.shift()!;
    },
  };
}
