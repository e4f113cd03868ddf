/** Handlers as plain asynchronous functions: each call answers or fails, whatever they do. */
import {
  status,
  type handleServerStreamingCall,
  type handleUnaryCall,
  type ServerUnaryCall,
  type ServerWritableStream,
} from "@grpc/grpc-js";
import { CodedError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import { runtimeStatuses, statusOf, type CallStatus, type StatusTable } from "./status.ts";

/** What a handler sees of its call. */
export interface Call {
  /** Full path, `/package.Service/Method`. */
  readonly path: string;
  /** Address and port of the caller. */
  readonly peer: string;
  /** The values of a request header, in the order they came. */
  header(name: string): readonly string[];
}

/** What a handler that answers once sees of its call. */
export interface UnaryCall extends Call {
  /** Aborted when the caller cancels, its connection ends, or the server stops. */
  readonly signal: AbortSignal;
}

/** Answers a call. */
export type Answer<Request, Response> = (
  request: Request,
  call: UnaryCall,
) => Promise<Response> | Response;

/** Answers a call with a stream, which ends when the promise settles. */
export type Stream<Request, Message> = (
  request: Request,
  sink: Sink<Message>,
  call: Call,
) => Promise<void>;

/** Looks at a call before its handler does; throws to refuse it. */
export type Admission = (call: Call) => void;

/**
 * Told how a call ended; one that answers once is answered when this is done. The request is as it was
 * decoded.
 */
export type Settlement = (
  call: Call,
  request: unknown,
  outcome: CallStatus,
) => Promise<void> | void;

/** Told of a call that was admitted, before its handler is; undefined when that need not wait. */
export type Beginning = (call: Call, request: unknown) => Promise<void> | undefined;

/** How handlers are run. */
export interface CallOptions {
  readonly log: Logger;
  readonly admit?: Admission;
  /** May not fail. */
  readonly begins?: Beginning;
  /** May not fail. */
  readonly settled?: Settlement;
  /** Searched in order; default only the runtime's. */
  readonly statuses?: readonly StatusTable[];
  /** Aborted when the server stops: streams end then. */
  readonly closing?: AbortSignal;
  /** Aborted, with a reason that is told, when the connection of a call ends: streams end before it. */
  readonly endOf?: (call: Call) => AbortSignal | undefined;
}

type Surface = Pick<ServerUnaryCall<unknown, unknown>, "getPath" | "getPeer" | "metadata">;

/** What a handler sees of the library's call. */
export const callOf = (call: Surface): Call => ({
  path: call.getPath(),
  peer: call.getPeer(),
  // One line of values with commas is the same as several lines (RFC 9110 §5.3).
  header: (name) => call.metadata.get(name).flatMap((line) => String(line).split(/, */)),
});

const unaryCallOf = (
  surface: ServerUnaryCall<unknown, unknown>,
  { closing }: CallOptions,
): UnaryCall => {
  let signal: AbortSignal | undefined;
  return {
    ...callOf(surface),
    // Few handlers wait for anything.
    get signal() {
      if (signal !== undefined) return signal;
      const over = new AbortController();
      if (surface.cancelled) over.abort();
      surface.once("cancelled", () => over.abort());
      return (signal = closing ? AbortSignal.any([over.signal, closing]) : over.signal);
    },
  };
};

/** What a call that failed ends with. */
export function failure(
  error: unknown,
  { path }: Pick<Call, "path">,
  options: Pick<CallOptions, "log" | "statuses">,
): CallStatus {
  const status = statusOf(
    error,
    path.slice(path.lastIndexOf("/") + 1),
    options.statuses ?? [runtimeStatuses],
  );
  if (!(error instanceof CodedError)) options.log.error({ path, err: error }, "a call failed");
  return status;
}

/** Nobody hears it, and it is no failure of the handler. */
const cancelled: CallStatus = { code: status.CANCELLED, details: "the caller is gone" };
const fine: CallStatus = { code: status.OK, details: "" };

/** A refusal stays one, also when the caller does not wait to hear it. */
const outcomeOf = (
  error: unknown,
  isGone: boolean,
  call: Call,
  options: CallOptions,
): CallStatus =>
  isGone && !(error instanceof CodedError) ? cancelled : failure(error, call, options);

/** Makes a unary handler. */
export const unary =
  <Request, Response>(
    answer: Answer<Request, Response>,
    options: CallOptions,
  ): handleUnaryCall<Request, Response> =>
  (surface, callback) => {
    const call = unaryCallOf(surface, options);
    const { request } = surface;
    const answered = async () => {
      options.admit?.(call);
      const begun = options.begins?.(call, request);
      if (begun) await begun;
      return answer(request, call);
    };
    answered().then(
      async (response) => {
        await options.settled?.(call, request, fine);
        callback(null, response);
      },
      async (error: unknown) => {
        const outcome = outcomeOf(error, surface.cancelled, call, options);
        await options.settled?.(call, request, outcome);
        callback(outcome);
      },
    );
  };

/** Where a server stream's messages go. */
export interface Sink<Message> {
  /** Aborted when the caller cancels, its connection ends, or the server stops. */
  readonly signal: AbortSignal;
  /** Resolves when the next message may be sent; rejects once the call is over. */
  send(message: Message): Promise<void> | void;
  /** Resolves when the message has left; what there is to send by then can go together. */
  deliver(message: Message): Promise<void>;
}

/** Makes a handler that streams; the stream ends when its promise settles, or the server stops. */
export const serverStream =
  <Request, Message>(
    stream: Stream<Request, Message>,
    options: CallOptions,
  ): handleServerStreamingCall<Request, Message> =>
  (surface) => {
    const call = callOf(surface);
    const over = new AbortController();
    const streamed = async () => {
      options.admit?.(call);
      const begun = options.begins?.(call, surface.request);
      if (begun) await begun;
      await stream(surface.request, sinkOf(surface, over.signal), call);
    };
    // The library ends a stream with the status of its error event, after what was written.
    const fail = (outcome: CallStatus) => {
      over.abort();
      surface.emit("error", outcome);
    };
    const settle = (outcome: CallStatus) => options.settled?.(call, surface.request, outcome);
    const unavailable = (details: string) => fail({ code: status.UNAVAILABLE, details });
    const leave = () => unavailable("the server is stopping");
    const end = options.endOf?.(call);
    end?.addEventListener("abort", () => unavailable(String(end.reason)), { signal: over.signal });
    surface.once("cancelled", () => over.abort());
    options.closing?.addEventListener("abort", leave);
    streamed()
      .then(
        async () => {
          await settle(over.signal.aborted ? cancelled : fine);
          if (!over.signal.aborted) surface.end();
        },
        async (error: unknown) => {
          const outcome = outcomeOf(error, over.signal.aborted, call, options);
          await settle(outcome);
          if (!over.signal.aborted) fail(outcome);
        },
      )
      .finally(() => options.closing?.removeEventListener("abort", leave));
  };

function sinkOf<Message>(
  surface: ServerWritableStream<unknown, Message>,
  over: AbortSignal,
): Sink<Message> {
  const drained = () =>
    new Promise<void>((resolve, reject) => {
      const settle = () => {
        surface.off("drain", settle);
        over.removeEventListener("abort", settle);
        if (over.aborted) reject(new Error("the call is over"));
        else resolve();
      };
      surface.once("drain", settle);
      over.addEventListener("abort", settle);
    });
  return {
    signal: over,
    send(message) {
      over.throwIfAborted();
      if (!surface.write(message)) return drained();
    },
    deliver: (message) =>
      new Promise((resolve, reject) => {
        over.throwIfAborted();
        const left = () => reject(new Error("the call is over"));
        over.addEventListener("abort", left);
        surface.write(message, () => {
          over.removeEventListener("abort", left);
          resolve();
        });
      }),
  };
}
