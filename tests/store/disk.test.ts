import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { disk, type Files } from '../../pipeline/files.ts';
import { DiskStore } from '../../pipeline/store/disk.ts';
import { fingerprintOfParts } from '../../pipeline/store/fingerprint.ts';
import { keepsTheStoreContract } from './contract.ts';
import { fingerprintOf, partsOf, rendering } from './rendering.ts';

let folder: string;
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'phosphene-store-')), 'store');
});
afterEach(() => rm(join(folder, '..'), { recursive: true }));

keepsTheStoreContract('DiskStore', () => Promise.resolve(new DiskStore(folder)));

const placeOf = (fingerprint: string): string => join(folder, fingerprint.slice(0, 2), fingerprint);
const temporaryNames = async (): Promise<string[]> =>
  (await readdir(folder, { recursive: true })).filter((name) => name.includes('.tmp-'));

/** The disk of this machine, on which the call named `call` fails with `code` from its `from`-th time on. */
function failing(call: keyof Files, code: string, from = 0): Files {
  let calls = 0;
  return {
    ...disk,
    [call]: (...args: never[]): Promise<unknown> => {
      if (calls++ >= from) return Promise.reject(Object.assign(new Error(`${code}: simulated`), { code }));
      return (disk[call] as (...args: never[]) => Promise<unknown>)(...args);
    },
  };
}

describe('what lies on the disk', () => {
  it('is one folder a rendering below the first two digits, with the checksum of the frames', async () => {
    const one = rendering(1);
    await new DiskStore(folder).write(one);
    expect((await readdir(placeOf(one.fingerprint))).sort()).toEqual(['frames.png', 'rendering.json']);
    const json = JSON.parse(await readFile(join(placeOf(one.fingerprint), 'rendering.json'), 'utf8'));
    const frames = await readFile(join(placeOf(one.fingerprint), 'frames.png'));
    expect(json.version).toBe(3);
    expect(json.files['frames.png']).toEqual({ sha256: fingerprintOf(frames), bytes: frames.length });
    expect(await temporaryNames()).toEqual([]);
  });

  it('gives every one of the 256 grey values back', async () => {
    const pixels = Uint8Array.from({ length: 256 }, (_, value) => value);
    const one = rendering(1, { widthPx: 16, heightPx: 16, frames: [{ step: 0, objective: 0, pixels }] });
    const store = new DiskStore(folder);
    await store.write(one);
    expect((await store.read(one.fingerprint))?.frames[0]?.pixels).toEqual(pixels);
  });

  it('refuses a number that JSON cannot hold instead of losing it', async () => {
    const store = new DiskStore(folder);
    await expect(store.write(rendering(1, { curve: [0, Number.NaN] }))).rejects.toThrow(/curve\[1\]/);
    expect(await store.has(rendering(1).fingerprint)).toBe(false);
  });

  it.each<[string, (place: string) => Promise<void>]>([
    [
      'an empty folder',
      async (place) => {
        await rm(place, { recursive: true });
        await mkdir(place);
      },
    ],
    ['missing metadata', (place) => rm(join(place, 'rendering.json'))],
    ['missing frames', (place) => rm(join(place, 'frames.png'))],
    ['cut metadata', (place) => truncate(join(place, 'rendering.json'), 100)],
    ['cut frames', (place) => truncate(join(place, 'frames.png'), 100)],
    [
      'metadata of another version',
      async (place) => {
        const file = join(place, 'rendering.json');
        const json = JSON.parse(await readFile(file, 'utf8'));
        await writeFile(file, JSON.stringify({ ...json, version: 0 }));
      },
    ],
  ])('is no hit with %s, and is replaced by the next write', async (_, damage) => {
    const store = new DiskStore(folder);
    const one = rendering(1);
    await store.write(one);
    await damage(placeOf(one.fingerprint));
    expect(await store.has(one.fingerprint)).toBe(false);
    expect(await store.hasAll([one.fingerprint])).toEqual(new Set());
    expect(await Array.fromAsync(store.records())).toEqual([]);
    expect(await store.read(one.fingerprint)).toBeUndefined();
    await store.write(one);
    expect(await store.read(one.fingerprint)).toEqual(one);
    expect(await temporaryNames()).toEqual([]);
  });

  it('is not read when a digit of the metadata is another', async () => {
    const store = new DiskStore(folder);
    const one = rendering(1);
    await store.write(one);
    const file = join(placeOf(one.fingerprint), 'rendering.json');
    const text = await readFile(file, 'utf8');
    expect(text).toContain('"activation":2.5');
    await writeFile(file, text.replace('"activation":2.5', '"activation":3.5'));
    expect(await store.read(one.fingerprint)).toBeUndefined();
    expect(await store.filesOf(one.fingerprint)).toEqual({
      problem: 'rendering.json does not have its checksum',
    });
  });

  it('is not read when one bit of the frames has turned', async () => {
    const store = new DiskStore(folder);
    const one = rendering(1);
    await store.write(one);
    const file = join(placeOf(one.fingerprint), 'frames.png');
    const bytes = await readFile(file);
    bytes.writeUInt8(bytes.readUInt8(200) ^ 1, 200);
    await writeFile(file, bytes);
    expect(await store.read(one.fingerprint)).toBeUndefined();
  });
});

describe('a store that an earlier version wrote', () => {
  it.each([2, 3])(
    'of version %i is read: two renderings, one of which says what it was made from',
    async (version) => {
      const store = new DiskStore(join(import.meta.dirname, `fixtures/version-${version}`));
      const madeFrom = partsOf(2);
      const told = rendering(2, { madeFrom, fingerprint: await fingerprintOfParts(madeFrom) });
      for (const one of [rendering(1), told]) {
        expect(await store.has(one.fingerprint)).toBe(true);
        expect(await store.read(one.fingerprint)).toEqual(one);
      }
      expect(await Array.fromAsync(store.records())).toHaveLength(2);
    },
  );
});

describe('what killed writers left', () => {
  it('is swept when it is an hour old, and left alone before', async () => {
    const old = join(folder, 'ab', '.tmp-1-old');
    const young = join(folder, 'ab', '.tmp-1-young');
    for (const path of [old, young]) {
      await mkdir(path, { recursive: true });
      await writeFile(join(path, 'frames.png'), 'half');
    }
    const hoursAgo = Date.now() / 1000 - 2 * 3600;
    await utimes(old, hoursAgo, hoursAgo);
    const store = new DiskStore(folder);
    expect(await Array.fromAsync(store.list())).toEqual([]);
    await store.prepare();
    expect((await temporaryNames()).sort()).toEqual(['ab/.tmp-1-young', 'ab/.tmp-1-young/frames.png']);
  });

  it('never looks like a rendering: killed at any moment, the store holds all that was reported, complete', async () => {
    const store = new DiskStore(folder);
    const reported: number[] = [];
    for (let round = 0; round < 6; round++) {
      const writers = [0, 1].map(() => startWriter(round * 1000));
      for (const { seeds } of writers) reported.push(...(await seeds));
    }
    expect(reported.length).toBeGreaterThan(6);
    const kept = await Array.fromAsync(store.list());
    for (const fingerprint of kept) expect(await store.read(fingerprint)).toBeDefined();
    for (const seed of reported) expect(kept).toContain(rendering(seed).fingerprint);
  });
});

/** Two of them write the same renderings; each is killed some time after its first. */
function startWriter(first: number): { readonly seeds: Promise<number[]> } {
  const child: ChildProcess = spawn(
    process.execPath,
    [join(import.meta.dirname, 'writer.ts'), folder, String(first)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let printed = '';
  child.stdout?.on('data', (data: Buffer) => {
    printed += data.toString();
  });
  const seeds = (async () => {
    const ended = once(child, 'exit');
    if (child.stdout) await Promise.race([once(child.stdout, 'data'), ended]);
    await setTimeout(Math.random() * 60);
    child.kill('SIGKILL');
    await ended;
    return printed.split('\n').slice(0, -1).map(Number);
  })();
  return { seeds };
}

describe('a disk that fails', () => {
  const one = rendering(1);
  const sentences = {
    ENOSPC: /^The disk is full: .* could not be written; free some space and run the same command again/,
    EDQUOT: /^The disk is full/,
    EACCES: /^Expected a place that can be written at .*\(permission denied\)/,
    EROFS: /^Expected a place that can be written at .*\(the file system is read-only\)/,
  };

  it.each(Object.entries(sentences))('is told in one sentence: %s', async (code, sentence) => {
    const store = new DiskStore(folder, failing('write', code));
    await expect(store.write(one)).rejects.toMatchObject({
      name: 'PhospheneError',
      exitCode: 1,
      message: expect.stringMatching(sentence),
    });
  });

  it.each<[keyof Files, number]>([
    ['makeFolder', 1],
    ['write', 1],
    ['write', 2],
    ['flushFolder', 0],
    ['flushFolder', 1],
    ['rename', 0],
  ])(
    'loses nothing when %s fails after %i calls: what was there stays, no part of the new one is there',
    async (call, from) => {
      await new DiskStore(folder).write(one);
      // Its first two digits are new, so that every call is made.
      const two = rendering(2);
      const store = new DiskStore(folder, failing(call, 'ENOSPC', from));
      await expect(store.write(two)).rejects.toThrow(/^The disk is full/);
      expect(await store.read(one.fingerprint)).toEqual(one);
      expect(await store.has(two.fingerprint)).toBe(false);
      expect(await temporaryNames()).toEqual([]);
      await new DiskStore(folder).write(two);
      expect(await store.read(two.fingerprint)).toEqual(two);
    },
  );

  it('is used again once it has space', async () => {
    let full = true;
    const store = new DiskStore(folder, {
      ...disk,
      write: (...args) =>
        full ? Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' })) : disk.write(...args),
    });
    await expect(store.prepare()).rejects.toThrow(/^The disk is full/);
    full = false;
    await store.write(one);
    expect(await store.has(one.fingerprint)).toBe(true);
  });

  it('is told before the work starts when a file stands where the store should be', async () => {
    await mkdir(join(folder, '..'), { recursive: true });
    await writeFile(folder, 'a file');
    const store = new DiskStore(folder);
    expect(await store.has(one.fingerprint)).toBe(false);
    await expect(store.prepare()).rejects.toThrow(
      /^Expected a place that can be written at .*\(a file stands where a folder should be\)/,
    );
    await expect(new DiskStore(join(folder, 'deeper')).prepare()).rejects.toThrow(
      /a file stands where a folder should be/,
    );
  });

  it('does not hide a defect: an error without a code of the system stays as it is', async () => {
    const defect = new Error('a defect');
    const store = new DiskStore(folder, { ...disk, rename: () => Promise.reject(defect) });
    await expect(store.write(one)).rejects.toBe(defect);
  });
});
