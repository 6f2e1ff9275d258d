import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type Download,
  type DownloadEffects,
  type DownloadEvent,
  download,
} from '../../pipeline/weights/download.ts';
import { downloadDisk } from '../../pipeline/weights/partial.ts';
import { type Answer, answers, hangsUp, type Server, sends, serve, silent } from './server.ts';

let folder: string;
let place: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'phosphene-weights-'));
  place = join(folder, 'cache/weights.h5');
});
afterEach(() => rm(folder, { recursive: true }));

/** 10,000 bytes that say where they stand. */
const known = Uint8Array.from({ length: 10_000 }, (_, index) => (index * 31 + (index >> 8)) & 255);
const other = known.toReversed();
const sum = (bytes: Uint8Array, algorithm = 'sha256'): string =>
  `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;

interface Run {
  readonly events: DownloadEvent[];
  readonly effects: DownloadEffects;
  readonly result: Promise<void>;
}

function run(
  server: Pick<Server, 'url'> & Partial<Server>,
  { wanted, ...more }: Partial<DownloadEffects> & { wanted?: Partial<Download> } = {},
): Run {
  const events: DownloadEvent[] = [];
  const effects: DownloadEffects = {
    fetch,
    files: downloadDisk,
    patience: { stallMs: 20_000, waitsMs: [1, 2, 3] },
    signal: new AbortController().signal,
    ...more,
    emit: (event) => {
      events.push(event);
      if (event.kind === 'downloading') server.tell?.(event.heldBytes);
      more.emit?.(event);
    },
  };
  const { url } = server;
  const result = download({ url, bytes: known.length, checksum: sum(known), ...wanted }, place, effects);
  return { events, effects, result };
}

const setbacks = ({ events }: Run): string[] =>
  events.flatMap((event) => (event.kind === 'download-interrupted' ? [event.reason] : []));

async function expectArrived(): Promise<void> {
  expect(new Uint8Array(await readFile(place))).toEqual(known);
  expect(await readdir(join(folder, 'cache'))).toEqual(['weights.h5']);
}

const hostOf = ({ url }: Server): string => new URL(url).host;

describe('download', () => {
  it('fetches a file in one request and tells how far it is', async () => {
    await using server = await serve(sends(known, { etag: '"a"' }));
    const one = run(server);
    await one.result;
    await expectArrived();
    expect(server.asked).toEqual(['- -']);
    expect(one.events[0]).toEqual({
      kind: 'download-started',
      file: 'weights.h5',
      host: hostOf(server),
      heldBytes: 0,
      bytes: 10_000,
    });
    const held = one.events.flatMap((event) => (event.kind === 'downloading' ? [event.heldBytes] : []));
    expect(held[0]).toBe(0);
    expect(held.at(-1)).toBe(10_000);
    expect(held).toEqual(held.toSorted((a, b) => a - b));
    expect(one.events.at(-1)).toEqual({ kind: 'downloaded', file: 'weights.h5', bytes: 10_000 });
  });

  it('takes an MD5 as well, and an answer that does not say how long it is', async () => {
    await using server = await serve(sends(known, { chunked: true }));
    await run(server, { wanted: { checksum: sum(known, 'md5') } }).result;
    await expectArrived();
  });

  it.each<[string, readonly Answer[], readonly string[], RegExp[]]>([
    [
      'goes on where the connection was cut, if the file is still the same',
      [sends(known, { etag: '"a"', cutAfter: 4_000 }), sends(known, { etag: '"a"' })],
      ['- -', 'bytes=4000- "a"'],
      [/^the connection to 127\.0\.0\.1:\d+ was cut/],
    ],
    [
      'goes on after every cut while each brings a hundredth of the file',
      [1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => sends(known, { etag: '"a"', cutAfter: 1_000 + n })),
      [0, 1001, 2003, 3006, 4010, 5015, 6021, 7028, 8036, 9045].map((from) =>
        from === 0 ? '- -' : `bytes=${from}- "a"`,
      ),
      Array.from({ length: 9 }, () => /was cut/),
    ],
    [
      'goes on at a server that has no tags',
      [sends(known, { cutAfter: 4_000 }), sends(known)],
      ['- -', 'bytes=4000- -'],
      [/was cut/],
    ],
    [
      'does not trust a weak tag with pieces',
      [sends(known, { etag: 'W/"a"', cutAfter: 4_000 }), sends(known, { etag: 'W/"a"' })],
      ['- -', 'bytes=4000- -'],
      [/was cut/],
    ],
    ['asks again when the server hangs up', [hangsUp, sends(known)], ['- -', '- -'], [/was cut/]],
    [
      'asks again after 500 and 429',
      [answers(500), answers(429), sends(known)],
      ['- -', '- -', '- -'],
      [/answered 500 \(Internal Server Error\)$/, /answered 429 \(Too Many Requests\)$/],
    ],
    [
      'takes the whole file from a server that ignores ranges',
      [sends(known, { etag: '"a"', cutAfter: 4_000 }), sends(known, { etag: '"a"', ignoreRange: true })],
      ['- -', 'bytes=4000- "a"'],
      [/was cut/],
    ],
    [
      'takes the whole file when its tag has changed meanwhile',
      [sends(other, { etag: '"old"', cutAfter: 4_000 }), sends(known, { etag: '"new"' })],
      ['- -', 'bytes=4000- "old"'],
      [/was cut/],
    ],
    [
      'starts over when a server sends the rest of another version',
      [
        sends(other, { etag: '"old"', cutAfter: 4_000 }),
        sends(known, { etag: '"new"', ignoreIfRange: true }),
      ],
      ['- -', 'bytes=4000- "old"', '- -'],
      [/was cut/, /^the file at 127\.0\.0\.1:\d+ has changed meanwhile; it is fetched anew$/],
    ],
    [
      'starts over when the server has less than what has arrived',
      [sends(known, { etag: '"a"', cutAfter: 4_000 }), answers(416), sends(known, { etag: '"a"' })],
      ['- -', 'bytes=4000- "a"', '- -'],
      [/was cut/, /has changed meanwhile/],
    ],
    [
      'starts over, once, when the pieces of a file without a tag do not fit together',
      [sends(other, { cutAfter: 4_000 }), sends(known)],
      ['- -', 'bytes=4000- -', '- -'],
      [/was cut/, /^what has arrived in pieces is not the known file; it is fetched anew$/],
    ],
  ])('%s', async (_, script, asked, reasons) => {
    await using server = await serve(...script, sends(known, { etag: '"a"' }));
    const one = run(server);
    await one.result;
    await expectArrived();
    expect(server.asked).toEqual(asked);
    expect(setbacks(one)).toHaveLength(reasons.length);
    reasons.forEach((reason, index) => {
      expect(setbacks(one)[index]).toMatch(reason);
    });
  });

  it.each<[string, readonly Answer[], readonly string[]]>([
    [
      'gives up a connection that stalls, and goes on',
      [sends(known, { etag: '"a"', stallAfter: 4_000 }), sends(known, { etag: '"a"' })],
      ['- -', 'bytes=4000- "a"'],
    ],
    ['asks again when no answer comes', [silent, sends(known)], ['- -', '- -']],
  ])('%s', async (_, script, asked) => {
    await using server = await serve(...script);
    const one = run(server, { patience: { stallMs: 500, waitsMs: [1] } });
    await one.result;
    await expectArrived();
    expect(server.asked).toEqual(asked);
    expect(setbacks(one)).toEqual([`${hostOf(server)} sent nothing for 0.5 s`]);
  });

  it('gives up a server that never sends anything', async () => {
    await using server = await serve(silent);
    const { result } = run(server, { patience: { stallMs: 100, waitsMs: [1] } });
    await expect(result).rejects.toThrow(/ sent nothing for 0\.1 s: fetch /);
    expect(server.asked).toHaveLength(2);
  });

  it('goes on from what an earlier run has left', async () => {
    await using server = await serve(
      sends(known, { etag: '"a"', cutAfter: 7_000 }),
      answers(503),
      answers(503),
      answers(503),
      answers(503),
      sends(known, { etag: '"a"' }),
    );
    await expect(run(server).result).rejects.toThrow(
      /^Expected to download weights\.h5 \(10 kB\), but .* answered 503 .*: run the same command to go on from 7 kB, or fetch /,
    );
    const second = run(server);
    await second.result;
    await expectArrived();
    expect(server.asked.at(-1)).toBe('bytes=7000- "a"');
    expect(second.events[0]).toMatchObject({ kind: 'download-started', heldBytes: 7_000 });
  });

  it('uses nothing of what was left of another file', async () => {
    await using server = await serve(sends(other, { cutAfter: 7_000 }), answers(404), sends(known));
    const wanted = { checksum: sum(other) };
    await expect(run(server, { wanted }).result).rejects.toThrow('answered 404');
    await run(server).result;
    await expectArrived();
    expect(server.asked).toEqual(['- -', 'bytes=7000- -', '- -']);
  });

  it.each<[string, Answer, RegExp, number]>([
    ['404', answers(404), /, but 127\.0\.0\.1:\d+ answered 404 \(Not Found\): fetch /, 1],
    ['403', answers(403), / answered 403 \(Forbidden\): /, 1],
    ['500 every time', answers(500), / answered 500 \(Internal Server Error\): /, 4],
    [
      'the page of a firewall',
      answers(200, '<h1>Log in</h1>', 'text/html; charset=utf-8'),
      / sends a page in place of the file: /,
      1,
    ],
    ['a file of another length', answers(200), / has another file \(2 bytes, expected 10000\): /, 1],
    [
      'more than there should be, without saying so before',
      sends(new Uint8Array(20_000), { chunked: true }),
      / sends more than the 10 kB of the file: /,
      1,
    ],
    [
      'less than there should be, without saying so before',
      sends(known.subarray(0, 50), { chunked: true }),
      / has another file \(50 bytes, expected 10000\): /,
      2,
    ],
    [
      'wrong bytes',
      sends(other),
      /, but what 127\.0\.0\.1:\d+ sends is not the known file \(sha256:[0-9a-f]{64}, expected sha256:[0-9a-f]{64}\): /,
      1,
    ],
  ])('refuses %s in one sentence that says what to do', async (_, answer, message, requests) => {
    await using server = await serve(answer);
    const { result } = run(server);
    await expect(result).rejects.toThrow(message);
    await expect(result).rejects.toMatchObject({
      name: 'PhospheneError',
      exitCode: 1,
      message: expect.stringMatching(
        new RegExp(
          `^Expected to download weights\\.h5 \\(10 kB\\), but .*: .*fetch ${server.url} by other means and put it at ${place}, or give a file that you have with --weights FILE$`,
        ),
      ),
    });
    expect(server.asked).toHaveLength(requests);
    await expect(stat(place)).rejects.toThrow('ENOENT');
  });

  it.each<[string, string, string]>([
    [
      'ENOTFOUND',
      'getaddrinfo ENOTFOUND',
      'cannot be reached from here (its address is not known here, ENOTFOUND)',
    ],
    ['ECONNREFUSED', '', 'cannot be reached from here (connections are refused, ECONNREFUSED)'],
    [
      'UND_ERR_CONNECT_TIMEOUT',
      '',
      'cannot be reached from here (it does not answer, UND_ERR_CONNECT_TIMEOUT)',
    ],
    [
      'SELF_SIGNED_CERT_IN_CHAIN',
      '',
      'is not trusted (SELF_SIGNED_CERT_IN_CHAIN), as behind a proxy that reads along',
    ],
  ])('does not insist behind a firewall: %s', async (code, text, reason) => {
    let requests = 0;
    const { result } = run(
      { url: 'https://weights.example/some/weights.h5' },
      {
        fetch: () => {
          requests++;
          const cause = Object.assign(new Error(text), { code });
          return Promise.reject(new TypeError('fetch failed', { cause }));
        },
      },
    );
    await expect(result).rejects.toThrow(`${reason}: fetch https://weights.example/some/weights.h5 by`);
    expect(requests).toBe(1);
  });

  it('waits for a network that goes away in between', async () => {
    await using server = await serve(
      sends(known, { etag: '"a"', cutAfter: 4_000 }),
      sends(known, { etag: '"a"' }),
    );
    let requests = 0;
    const one = run(server, {
      fetch: (url, init) => {
        if (++requests !== 2) return fetch(url, init);
        const cause = Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' });
        return Promise.reject(new TypeError('fetch failed', { cause }));
      },
    });
    await one.result;
    await expectArrived();
    expect(requests).toBe(3);
  });

  it('stops when it is told to, keeps what has arrived, and leaves no name behind', async () => {
    await using server = await serve(
      sends(known, { etag: '"a"', stallAfter: 4_000 }),
      sends(known, { etag: '"a"' }),
    );
    const stop = new AbortController();
    const reason = new Error('asked to stop');
    const { result } = run(server, {
      signal: stop.signal,
      patience: { stallMs: 60_000, waitsMs: [60_000] },
      emit: (event) => {
        if (event.kind === 'downloading' && event.heldBytes === 4_000) stop.abort(reason);
      },
    });
    await expect(result).rejects.toBe(reason);
    expect((await readdir(join(folder, 'cache'))).sort()).toEqual([
      'weights.h5.part',
      'weights.h5.part.json',
    ]);
    await run(server).result;
    await expectArrived();
    expect(server.asked).toEqual(['- -', 'bytes=4000- "a"']);
  });

  it('stops while it waits for the next attempt', async () => {
    await using server = await serve(answers(500));
    const stop = new AbortController();
    const { result } = run(server, {
      signal: stop.signal,
      patience: { stallMs: 60_000, waitsMs: [60_000] },
      emit: (event) => {
        if (event.kind === 'download-interrupted') void setTimeout(5).then(() => stop.abort());
      },
    });
    await expect(result).rejects.toThrow('aborted');
  });

  it('says that the disk is full, and goes on when it is not', async () => {
    await using server = await serve(
      sends(known, { etag: '"a"', cutAfter: 4_000 }),
      sends(known, { etag: '"a"' }),
    );
    let isFull = true;
    const files = {
      ...downloadDisk,
      openPartial: async (path: string) => {
        const file = await downloadDisk.openPartial(path);
        return {
          ...file,
          write: (bytes: Uint8Array, offset: number) =>
            isFull && offset >= 4_000
              ? Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' }))
              : file.write(bytes, offset),
        };
      },
    };
    await expect(run(server, { files }).result).rejects.toThrow(/^The disk is full: .*weights\.h5/);
    isFull = false;
    await run(server, { files }).result;
    await expectArrived();
    expect(server.asked.at(-1)).toBe('bytes=4000- "a"');
  });

  it('says so where the folder cannot be made', async () => {
    await writeFile(join(folder, 'cache'), '');
    await expect(run({ url: 'http://127.0.0.1:9/x' }).result).rejects.toThrow(
      /^Expected a place that can be written at .*weights\.h5, found that it cannot \(a file stands/,
    );
  });

  it('goes on from what a killed run has left, once that has not grown for two minutes', async () => {
    await using server = await serve(sends(known, { etag: '"a"' }));
    await mkdir(join(folder, 'cache'));
    const left = `${place}.part-0123456789ab`;
    await writeFile(left, known.subarray(0, 6_000));
    const note = { url: server.url, checksum: sum(known), validator: '"a"' };
    await writeFile(`${left}.json`, JSON.stringify(note));
    await run(server).result;
    expect(server.asked).toEqual(['- -']);
    expect((await readdir(join(folder, 'cache'))).sort()).toEqual([
      'weights.h5',
      'weights.h5.part-0123456789ab',
      'weights.h5.part-0123456789ab.json',
    ]);

    await rm(place);
    const before = new Date(Date.now() - 121_000);
    await utimes(left, before, before);
    await run(server).result;
    await expectArrived();
    expect(server.asked).toEqual(['- -', 'bytes=6000- "a"']);
  });

  it('lets two processes fetch the same file at once', async () => {
    await using server = await serve(sends(known, { etag: '"a"' }));
    await Promise.all([run(server).result, run(server).result]);
    await expectArrived();
  });

  it('finds the whole file under its temporary name without asking for more', async () => {
    await mkdir(join(folder, 'cache'));
    await writeFile(`${place}.part`, known);
    const url = 'http://127.0.0.1:9/weights.h5';
    await writeFile(`${place}.part.json`, JSON.stringify({ url, checksum: sum(known) }));
    await run({ url }).result;
    await expectArrived();
  });
});
