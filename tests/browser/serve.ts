/** A static host as most are: files as they lie, text gzipped, index.html for folders, 404.html for the rest. */

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

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  );

/** Serves `folder` below `base` (`` or `/some/path`) on a free port of this machine. */
export async function serve(folder: string, base = ''): Promise<Host> {
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname);
    const below = path.startsWith(`${base}/`) ? path.slice(base.length) : '/not-below-the-base';
    const file = join(folder, below.endsWith('/') ? `${below}index.html` : below);
    const found = await isFile(file);
    const sent = found ? file : join(folder, '404.html');
    const type = types[extname(sent)] ?? 'application/octet-stream';
    const zipped =
      !type.startsWith('image/webp') && /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
    response.writeHead(found ? 200 : 404, {
      'content-type': type,
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
