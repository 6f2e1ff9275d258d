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

  it('judges work by the clock from its first step on, not by what comes before', () => {
    const { stream, text } = sink(false);
    let now = 0;
    const log = openLog(stream, () => now);
    log.emit({ kind: 'planned', total: 10, fresh: 0 });
    log.emit({ kind: 'layer', ...address, units: 10 });
    // Compiling takes as long as nine steps.
    for (now = 9_000; now <= 20_000; now += 1_000) {
      log.emit({ kind: 'worked', done: now / 1000 - 8, total: 100, ofUnit: 10 });
    }
    log.close();
    expect(text().trimEnd().split('\n').at(-1)).toBe(
      '0 of 10 units, 0.1/s, 1 min 29 s left (mnist conv2d_1)',
    );
  });

  it('tells every few seconds how much of a file has arrived, at the pace of this run, and what came between', () => {
    const { stream, text } = sink(false);
    let now = 0;
    const log = openLog(stream, () => now);
    const file = 'vgg16.h5';
    log.emit({ kind: 'download-started', file, host: 'example.org', heldBytes: 20e6, bytes: 58_889_256 });
    now += 5_000;
    log.emit({ kind: 'downloading', file, heldBytes: 30e6 });
    log.emit({ kind: 'download-interrupted', file, reason: 'the connection was cut', waitMs: 4_000 });
    log.emit({ kind: 'downloading', file, heldBytes: 0 });
    now += 10_000;
    log.emit({ kind: 'downloading', file, heldBytes: 10e6 });
    log.emit({ kind: 'downloaded', file, bytes: 58_889_256 });
    log.emit({ kind: 'left-out', models: ['a', 'b'], reason: 'because' });
    expect(text().trimEnd().split('\n')).toEqual([
      'Downloading vgg16.h5 (58.9 MB) from example.org, 20 MB are there already',
      '30 MB of 58.9 MB, 2 MB/s, 14 s left',
      'the connection was cut; another attempt in 4.0 s',
      '10 MB of 58.9 MB, 1 MB/s, 49 s left',
      'Left out a, b: because',
    ]);
  });

  it('tells whose turn it is, and how each trial of a search went', () => {
    const { stream, text } = sink(false);
    const log = openLog(stream, () => 0);
    const score = {
      ...{ score: 1.0426, harshShare: 0.1, keptUnderShifts: null, highFrequencyShare: 0, seconds: 1 },
      keepsLimits: false,
    };
    const kept = { ...score, score: 1, keptUnderShifts: 1, keepsLimits: true };
    log.emit({ kind: 'recipe', name: 'lucid', place: 2, of: 3 });
    log.emit({ kind: 'trial', trial: 0, of: undefined, point: {}, score: kept });
    log.emit({ kind: 'trial', trial: 1, of: 9, point: { 'rate.value': 0.1, 'a.kind': 'b' }, score });
    log.emit({ kind: 'trial', trial: 2, of: undefined, point: { x: 1 }, score: { ...kept, score: null } });
    expect(text().trimEnd().split('\n')).toEqual([
      'lucid, recipe 2 of 3',
      'The base: harsh 0.100, kept 1.000',
      'Trial 1 of 9, rate.value 0.1, a.kind "b": 1.043 times the base, harsh 0.100, kept unknown, limits broken',
      'Trial 2, x 1: failed',
    ]);
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
  it('draws a bar of the bytes that have arrived', () => {
    const { stream, text } = sink(true);
    let now = 0;
    const log = openLog(stream, () => now);
    log.emit({ kind: 'download-started', file: 'a.h5', host: 'example.org', heldBytes: 0, bytes: 2_000_000 });
    now += 1_000;
    log.emit({ kind: 'downloading', file: 'a.h5', heldBytes: 500_000 });
    log.emit({ kind: 'downloaded', file: 'a.h5', bytes: 2_000_000 });
    expect(text()).toContain('Downloading a.h5 (2 MB) from example.org\n');
    expect(text()).toMatch(/━+─+ 500 kB of 2 MB · 500 kB\/s · 3\.0 s left/);
  });

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
