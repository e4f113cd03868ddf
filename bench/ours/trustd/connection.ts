/** Unary gRPC calls over node:http2, from an address of choice, at little cost to who asks. */
import { connect, type ClientHttp2Session, type IncomingHttpHeaders } from "node:http2";
import { isIP } from "node:net";
import { connect as connectTls } from "node:tls";

/** Where a server is, and who asks it. */
export interface Dial {
  readonly host: string;
  readonly port: number;
  /** PEM. */
  readonly ca: string;
  /** The address that calls come from. */
  readonly from: string;
}

/** What a call came to; a reply is there where the status is 0. */
export interface Reply {
  readonly status: number;
  readonly message: string;
  readonly body: Buffer;
}

export interface Connection {
  /** @param path as in `/securityapi.SecurityService/Certificate` */
  call(path: string, token: string, request: Uint8Array): Promise<Reply>;
  close(): void;
}

const FRAME_HEADER_BYTES = 5;

/** Resolves when the handshake is done. */
export async function open({ host, port, ca, from }: Dial): Promise<Connection> {
  const session = await new Promise<ClientHttp2Session>((resolve, reject) => {
    const createConnection = () =>
      connectTls({
        ...{ host, port, ca, localAddress: from, ALPNProtocols: ["h2"], minVersion: "TLSv1.3" },
        ...(isIP(host) === 0 && { servername: host }),
      }).on("error", reject); // also when nobody waits any more
    const opened = connect(`https://${isIP(host) === 6 ? `[${host}]` : host}:${port}`, {
      createConnection,
    });
    opened.once("connect", () => resolve(opened)).once("error", reject);
  });
  session.on("error", () => {}); // its calls say so
  return {
    call: (path, token, request) => call(session, path, token, request),
    close: () => session.destroy(),
  };
}

function call(session: ClientHttp2Session, path: string, token: string, request: Uint8Array) {
  return new Promise<Reply>((resolve, reject) => {
    const stream = session.request({
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
      ...(token !== "" && { token }),
    });
    let [status, message] = ["", ""];
    const chunks: Buffer[] = [];
    const ending = (headers: IncomingHttpHeaders) => {
      status = textOf(headers["grpc-status"], status);
      message = textOf(headers["grpc-message"], message);
    };
    stream.on("response", ending).on("trailers", ending);
    stream.on("data", (chunk: Buffer) => chunks.push(chunk)).on("error", reject);
    stream.on("close", () => {
      if (status === "") reject(new Error(`${path} was not answered`));
      else
        resolve({
          status: Number(status),
          message: decodeURIComponent(message),
          body: Buffer.concat(chunks).subarray(FRAME_HEADER_BYTES),
        });
    });
    stream.end(framed(request));
  });
}

const textOf = (header: string | string[] | undefined, otherwise: string) =>
  typeof header === "string" ? header : otherwise;

function framed(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + message.length);
  frame.writeUInt8(0, 0);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, FRAME_HEADER_BYTES);
  return frame;
}
