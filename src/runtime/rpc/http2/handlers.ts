/** Methods as handlers of HTTP/2 streams. */
import { status, type MethodDefinition } from "@grpc/grpc-js";
import { failure, type Answer, type CallOptions, type Sink, type Stream } from "../call.ts";
import { CallError } from "./call-error.ts";
import { framed, framedTogether } from "./frames.ts";
import type { HttpCall } from "./http-call.ts";

/** Answers a call whose request has come. */
export type Handler = (request: Buffer, call: HttpCall) => void;

type Options = Pick<CallOptions, "log" | "statuses" | "admit">;

/** Messages of a stream go out together until there are so many bytes of them. */
const TOGETHER_BYTES = 32 * 1024;

function failed(error: unknown, call: HttpCall, options: Options): void {
  if (call.isOver) return;
  call.fail(error instanceof CallError ? error : failure(error, call, options));
}

function decoded<Request>(
  { requestDeserialize }: MethodDefinition<Request, Buffer>,
  bytes: Buffer,
): Request {
  try {
    return requestDeserialize(bytes);
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new CallError(status.INTERNAL, `the request cannot be read: ${problem}`, { cause });
  }
}

/** Makes the handler of a method that answers once. */
export const unaryHandler =
  <Request>(
    definition: MethodDefinition<Request, Buffer>,
    answer: Answer<Request, Buffer>,
    options: Options,
  ): Handler =>
  (bytes, call) => {
    try {
      const request = decoded(definition, bytes);
      options.admit?.(call);
      const reply = answer(request, call);
      if (Buffer.isBuffer(reply)) call.end(framed(reply));
      else
        reply.then(
          (message) => call.end(framed(message)),
          (error: unknown) => failed(error, call, options),
        );
    } catch (error) {
      failed(error, call, options);
    }
  };

/** Makes the handler of a method that answers with a stream. */
export const streamHandler =
  <Request>(
    definition: MethodDefinition<Request, Buffer>,
    stream: Stream<Request, Buffer>,
    options: Options,
  ): Handler =>
  (bytes, call) => {
    const sink = new CallSink(call);
    const streamed = async () => {
      const request = decoded(definition, bytes);
      options.admit?.(call);
      await stream(request, sink, call);
    };
    streamed().then(
      () => sink.end(),
      (error: unknown) => {
        if (!call.isOver) sink.flush();
        failed(error, call, options);
      },
    );
  };

/** Messages on their way; small ones travel together. */
class CallSink implements Sink<Buffer> {
  readonly signal: AbortSignal;
  readonly #call: HttpCall;
  #messages: Buffer[] = [];
  #bytes = 0;

  constructor(call: HttpCall) {
    this.#call = call;
    this.signal = call.signal;
  }

  send(message: Buffer): Promise<void> | void {
    this.signal.throwIfAborted();
    this.#messages.push(message);
    this.#bytes += message.length;
    if (this.#bytes < TOGETHER_BYTES || this.flush()) return;
    return this.#settled((settle) => this.#call.onceDrained(settle));
  }

  deliver(message: Buffer): Promise<void> {
    this.signal.throwIfAborted();
    return this.#settled((settle) => void this.#call.write(framed(message), settle));
  }

  /** Sends what was kept together. @returns whether there is room for more */
  flush(): boolean {
    if (this.#messages.length === 0) return true;
    const frames = framedTogether(this.#messages, this.#bytes);
    this.#messages = [];
    this.#bytes = 0;
    return this.#call.write(frames);
  }

  end(): void {
    if (this.#call.isOver) return;
    this.flush();
    this.#call.end();
  }

  /** Waits for the other side; rejects when the call is over first. */
  #settled(begin: (settle: () => void) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => reject(new Error("the call is over"));
      this.signal.addEventListener("abort", leave, { once: true });
      begin(() => {
        this.signal.removeEventListener("abort", leave);
        resolve();
      });
    });
  }
}
