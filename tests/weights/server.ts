/** A server that answers as its script says, one line a request, and remembers what it was asked. */

import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Answer = (request: IncomingMessage, response: ServerResponse, client: Client) => void;

/** What the server is told of the one who asks: a cut would otherwise race with the bytes before it. */
export interface Client {
  /** Resolves when so many bytes of the file are on the client's disk. */
  holds(bytes: number): Promise<void>;
}

export interface Server extends AsyncDisposable {
  readonly url: string;
  /** `Range` and `If-Range` of each request so far, `-` where there is none. */
  readonly asked: string[];
  /** To be called with what the client holds. */
  tell(heldBytes: number): void;
}

/** The last answer of the script is given to all requests after it too. */
export async function serve(...script: readonly Answer[]): Promise<Server> {
  const asked: string[] = [];
  const told = new EventEmitter();
  const client: Client = {
    holds: (bytes) =>
      new Promise((resolve) => {
        told.on('held', (held: number) => {
          if (held === bytes) resolve();
        });
      }),
  };
  const server = createServer((request, response) => {
    const { range = '-', 'if-range': ifRange = '-' } = request.headers;
    asked.push(`${range} ${ifRange}`);
    (script[asked.length - 1] ?? script.at(-1))?.(request, response, client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/some/weights.h5`,
    asked,
    tell: (heldBytes) => void told.emit('held', heldBytes),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export interface Body {
  readonly etag?: string;
  /** Ends the connection after so many bytes of the answer. */
  readonly cutAfter?: number;
  /** Sends nothing more after so many bytes of the answer, and leaves the connection open. */
  readonly stallAfter?: number;
  readonly ignoreRange?: boolean;
  /** Sends the rest whatever `If-Range` says. */
  readonly ignoreIfRange?: boolean;
  /** Sends pieces without saying how many bytes there will be. */
  readonly chunked?: boolean;
}

/** What an ordinary file server does: the whole file, or the rest of it where that is asked for. */
export function sends(bytes: Uint8Array, body: Body = {}): Answer {
  const { etag, cutAfter, stallAfter, ignoreRange, ignoreIfRange, chunked } = body;
  return ({ headers }, response, client) => {
    if (etag !== undefined) response.setHeader('etag', etag);
    const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1]);
    const isSame = headers['if-range'] === undefined || headers['if-range'] === etag || ignoreIfRange;
    const isPart = !Number.isNaN(from) && isSame && !ignoreRange;
    if (isPart && from >= bytes.length) {
      response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end();
      return;
    }
    const rest = isPart ? bytes.subarray(from) : bytes;
    if (isPart) response.setHeader('content-range', `bytes ${from}-${bytes.length - 1}/${bytes.length}`);
    if (!chunked) response.setHeader('content-length', rest.length);
    response.writeHead(isPart ? 206 : 200);
    const shown = rest.subarray(0, cutAfter ?? stallAfter);
    if (cutAfter !== undefined) {
      const first = isPart ? from : 0;
      void client.holds(first + shown.length).then(() => response.socket?.destroy());
      response.write(shown);
    }
    if (stallAfter !== undefined) response.write(shown);
    if (cutAfter === undefined && stallAfter === undefined) response.end(shown);
  };
}

export function answers(status: number, text = 'no', type = 'text/plain'): Answer {
  return (_, response) =>
    response.writeHead(status, { 'content-type': type, 'content-length': text.length }).end(text);
}

export const silent: Answer = () => {};

export const hangsUp: Answer = (request) => void request.socket.destroy();
