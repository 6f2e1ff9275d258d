/**
 * A layer's page on a slow phone (Lighthouse's: 390 px wide, 4 times slower, 1.6 Mbit/s and 150 ms): when the first
 * picture is seen, and the longest task while all of it is scrolled through. `node bench/scroll.ts FOLDER /path/ …`
 */

import { launchChromium } from '../tests/browser/chromium.ts';
import { serve } from '../tests/browser/serve.ts';

const [folder = 'dist', ...paths] = process.argv.slice(2);
const host = await serve(folder);
const browser = await launchChromium();
for (const path of paths) {
  const page = await browser.newPage({
    viewport: { width: 390, height: 844 },
    deviceScaleFactor: 2,
    hasTouch: true,
    isMobile: true,
  });
  const phone = await page.context().newCDPSession(page);
  await phone.send('Emulation.setCPUThrottlingRate', { rate: 4 });
  await phone.send('Network.enable');
  await phone.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: 150,
    downloadThroughput: (1.6 * 1024 * 1024) / 8,
    uploadThroughput: (750 * 1024) / 8,
  });
  await page.addInitScript(() => {
    const seen = { tasks: [] as number[], pictureMs: 0 };
    Object.assign(globalThis, { seen });
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) seen.tasks.push(Math.round(duration));
    }).observe({ type: 'longtask', buffered: true });
    const look = (): void => {
      const picture = document.querySelector<HTMLImageElement>('.wall img');
      if (picture?.complete === true && picture.naturalWidth > 0)
        seen.pictureMs = Math.round(performance.now());
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  await page.goto(host.address + path, { waitUntil: 'load' });
  await page.waitForFunction(
    () => (globalThis as unknown as { seen: { pictureMs: number } }).seen.pictureMs > 0,
  );
  const result = await page.evaluate(async () => {
    const { seen } = globalThis as unknown as { seen: { tasks: number[]; pictureMs: number } };
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const loading = seen.tasks.splice(0);
    const frames: number[] = [];
    let last = performance.now();
    // The first screens tell; the wall of 4,096 units is 500 of them.
    while (frames.length < 200 && scrollY + innerHeight < document.documentElement.scrollHeight - 2) {
      scrollBy(0, 120);
      await new Promise(requestAnimationFrame);
      frames.push(performance.now() - last);
      last = performance.now();
    }
    frames.sort((a, b) => a - b);
    return {
      firstPictureMs: seen.pictureMs,
      tasksOver50MsLoading: loading,
      tasksOver50MsScrolling: seen.tasks,
      frames: frames.length,
      frameMs95: Math.round(frames[Math.floor(frames.length * 0.95)] ?? 0),
    };
  });
  process.stdout.write(`${JSON.stringify({ path, ...result })}\n`);
  await page.close();
}
await browser.close();
await host.close();
