import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { openLog } from '../pipeline/log.ts';

/** A stream that keeps what is written to it. */
function sink(isTTY: boolean): { stream: Writable & { isTTY: boolean }; text: () => string } {
  let text = '';
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString();
      done();
    },
  });
  return { stream: Object.assign(stream, { isTTY }), text: () => text };
}

const address = { model: 'mnist', layer: 'conv2d_1' };

describe('the log where there is no terminal', () => {
  it('tells every few seconds how many units are done, how fast, and how long the rest takes', () => {
    const { stream, text } = sink(false);
    let now = 0;
    const log = openLog(stream, () => now);
    log.emit({ kind: 'planned', total: 110, fresh: 10 });
    log.emit({ kind: 'layer', ...address, units: 100 });
    for (let unit = 0; unit < 100; unit++) {
      now += 500;
      log.emit({ kind: 'rendered', ...address, unit });
    }
    log.close();
    expect(text().split('\n').slice(0, 3)).toEqual([
      '10 units of 110 in the store already',
      '10 of 100 units, 2/s, 45 s left (mnist conv2d_1)',
      '20 of 100 units, 2/s, 40 s left (mnist conv2d_1)',
    ]);
    expect(text().trimEnd().split('\n')).toHaveLength(11);
  });

  it('tells failures and damage at once, on one line each, without what could steer a terminal', () => {
    const { stream, text } = sink(false);
    const log = openLog(stream, () => 0);
    log.emit({ kind: 'failed', model: 'm', layer: 'a\u001b[2Jb\nc', unit: 3, error: 'no\nluck' });
    log.emit({ kind: 'unpublished', ...address, unit: 4, reason: 'damaged' });
    log.emit({ kind: 'unpublished', ...address, unit: 5, reason: 'missing' });
    expect(text()).toBe(
      'm a[2Jb c unit 3 failed: no luck\nmnist conv2d_1 unit 4: its rendering was damaged and is removed; render it again\n',
    );
  });
});

describe('the log on a terminal', () => {
  it('draws a bar with units done, rate and time left, and takes it away at the end', () => {
    const { stream, text } = sink(true);
    let now = 0;
    const log = openLog(stream, () => now);
    log.emit({ kind: 'planned', total: 40, fresh: 0 });
    log.emit({ kind: 'layer', ...address, units: 40 });
    for (let unit = 0; unit < 20; unit++) {
      now += 250;
      log.emit({ kind: 'rendered', ...address, unit });
    }
    log.emit({ kind: 'failed', ...address, unit: 20, error: 'no luck' });
    log.close();
    expect(text()).toMatch(/━+─+ 21\/40 units · 4\.2\/s · 4\.5 s left · mnist conv2d_1/);
    expect(text()).toContain('mnist conv2d_1 unit 20 failed: no luck\n');
    const showCursor = '\u001b[?25h';
    expect(text().lastIndexOf(showCursor)).toBeGreaterThan(text().lastIndexOf('━'));
  });
});
