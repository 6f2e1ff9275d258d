import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { sends, serve } from './server.ts';

it('goes through the proxy that HTTP_PROXY and HTTPS_PROXY name', async () => {
  await using server = await serve(sends(Buffer.from('through the proxy')));
  const { port: target } = new URL(server.url);
  const asked: string[] = [];
  const proxy = createServer().listen(0, '127.0.0.1');
  proxy.on('connect', (request, socket) => {
    asked.push(request.url ?? '');
    const onward = connect(Number(target), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      onward.pipe(socket).pipe(onward);
    });
    socket.on('error', () => onward.destroy());
    onward.on('error', () => socket.destroy());
  });
  await once(proxy, 'listening');
  try {
    const machine = join(import.meta.dirname, '../../pipeline/weights/machine.ts');
    const script = `
      const { weightsOnThisMachine } = await import(${JSON.stringify(machine)});
      const { fetch, folder } = weightsOnThisMachine(new AbortController().signal, () => {});
      const response = await fetch('http://weights.invalid/file', {});
      process.stdout.write(folder + ': ' + await response.text());
      process.exit();`;
    const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const { NO_PROXY: _, no_proxy: __, ...environment } = process.env;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      env: { ...environment, HTTP_PROXY: address, http_proxy: address, HTTPS_PROXY: address },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.on('data', (data: Buffer) => {
      text += data.toString();
    });
    await once(child, 'close');
    expect(text).toBe(`${join('.cache', 'weights')}: through the proxy`);
    expect(asked).toEqual(['weights.invalid:80']);
  } finally {
    proxy.closeAllConnections();
    proxy.close();
  }
});
