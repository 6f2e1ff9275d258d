/**
 * Lighthouse, mobile profile, on the built site: `node bench/lighthouse.ts FOLDER /path/ …`. One line of JSON a page:
 * the four scores, and what scored below 1. Run it on an idle machine: it measures time.
 */

import { createServer } from 'node:net';
import lighthouse from 'lighthouse';
import { launchChromium } from '../tests/browser/chromium.ts';
import { serve } from '../tests/browser/serve.ts';

const [folder = 'dist', ...paths] = process.argv.slice(2);

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

const host = await serve(folder);
const port = await freePort();
const browser = await launchChromium([`--remote-debugging-port=${port}`]);
for (const path of paths.length === 0 ? ['/'] : paths) {
  const result = await lighthouse(host.address + path, {
    port,
    output: 'json',
    logLevel: 'error',
    onlyCategories: ['performance', 'accessibility', 'best-practices', 'seo'],
  });
  if (result === undefined) throw new Error(`Expected Lighthouse to open ${path}, it did not`);
  const { categories, audits } = result.lhr;
  const scores = Object.fromEntries(
    Object.entries(categories).map(([name, { score }]) => [name, Math.round((score ?? 0) * 100)]),
  );
  const numbers = [
    'first-contentful-paint',
    'largest-contentful-paint',
    'speed-index',
    'total-blocking-time',
    'cumulative-layout-shift',
  ];
  const measured = Object.fromEntries(numbers.map((name) => [name, audits[name]?.displayValue]));
  const lost = Object.values(categories).flatMap(({ auditRefs }) =>
    auditRefs.filter(({ id, weight }) => weight > 0 && (audits[id]?.score ?? 1) < 0.9).map(({ id }) => id),
  );
  process.stdout.write(`${JSON.stringify({ path, ...scores, ...measured, lost })}\n`);
}
await browser.close();
await host.close();
