/**
 * A static host as most are: files as they lie with the moment of their last change, text gzipped, index.html for
 * folders, 404.html for the rest.
 */

import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { createGzip } from 'node:zlib';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.xml': 'application/xml',
  '.webp': 'image/webp',
};

export interface Host {
  /** With the base, without a slash at the end. */
  readonly address: string;
  readonly close: () => Promise<void>;
}

/** When a file was changed; undefined where none is there. */
const changedAt = (path: string): Promise<Date | undefined> =>
  stat(path).then(
    (found) => (found.isFile() ? found.mtime : undefined),
    () => undefined,
  );

/** Serves `folder` below `base` (`` or `/some/path`) on a free port of this machine. */
export async function serve(folder: string, base = ''): Promise<Host> {
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname);
    const below = path.startsWith(`${base}/`) ? path.slice(base.length) : '/not-below-the-base';
    const file = join(folder, below.endsWith('/') ? `${below}index.html` : below);
    const changed = await changedAt(file);
    const found = changed !== undefined;
    const lastModified = changed?.toUTCString();
    if (found && request.headers['if-modified-since'] === lastModified) {
      response.writeHead(304).end();
      return;
    }
    const sent = found ? file : join(folder, '404.html');
    const type = types[extname(sent)] ?? 'application/octet-stream';
    const zipped =
      !type.startsWith('image/webp') && /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
    response.writeHead(found ? 200 : 404, {
      'content-type': type,
      ...(lastModified === undefined ? {} : { 'last-modified': lastModified }),
      ...(zipped ? { 'content-encoding': 'gzip' } : {}),
    });
    const content = createReadStream(sent).on('error', () => response.end());
    if (zipped) content.pipe(createGzip()).pipe(response);
    else content.pipe(response);
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://127.0.0.1:${port}${base}`,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}
