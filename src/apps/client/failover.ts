/** Several endpoints as one: each is tried until one can be talked to. */
import { CallFailedError, CertificateProblemError, type FailedCall } from "./errors.ts";
import { isUnreached, type Connection } from "./connection.ts";

/** The endpoints of a client, in order; one that is the node that is meant comes first. */
export interface Endpoints {
  /** The answer of the first one that can be talked to. */
  ask<Answer>(node: string | undefined, call: (to: Connection) => Promise<Answer>): Promise<Answer>;
  /** As {@link ask}, for as long as no message has come. */
  stream<Message>(
    node: string | undefined,
    open: (to: Connection) => AsyncIterable<Message>,
  ): AsyncIterable<Message>;
}

/** Tries the connections in order. */
export function failover(connections: readonly Connection[]): Endpoints {
  return {
    async ask(node, call) {
      const failures: Error[] = [];
      for (const connection of inOrder(connections, node)) {
        try {
          return await call(connection);
        } catch (error) {
          failures.push(await passedOver(error, connection));
        }
      }
      throw gravest(failures);
    },
    async *stream(node, open) {
      const failures: Error[] = [];
      for (const connection of inOrder(connections, node)) {
        let hasAnswered = false;
        try {
          for await (const message of open(connection)) {
            hasAnswered = true;
            yield message;
          }
          return;
        } catch (error) {
          if (hasAnswered) throw worded(error);
          failures.push(await passedOver(error, connection));
        }
      }
      throw gravest(failures);
    },
  };
}

const inOrder = (connections: readonly Connection[], node: string | undefined): Connection[] =>
  connections.toSorted(
    (left, right) => Number(right.endpoint.host === node) - Number(left.endpoint.host === node),
  );

/** @throws the failure, in words, unless another endpoint may do better */
async function passedOver(error: unknown, connection: Connection): Promise<Error> {
  if (!isUnreached(error)) throw worded(error);
  return connection.diagnose(error);
}

/** A certificate is a better explanation than silence. */
const gravest = (failures: readonly Error[]): Error =>
  failures.find((failure) => failure instanceof CertificateProblemError) ??
  failures[0] ??
  new TypeError("no endpoint was tried");

const worded = (error: unknown): unknown =>
  error instanceof Error && "details" in error
    ? new CallFailedError(error as Error & FailedCall, { cause: error })
    : error;
