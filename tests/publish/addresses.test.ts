/** No address dies or comes to mean something else in silence. */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AddressBook, addressBook } from '../../content/schema.ts';
import { disk } from '../../pipeline/files.ts';
import { type Settled, type ShownLayer, type ShownModel, settle } from '../../pipeline/publish/addresses.ts';
import type { ShownChanges } from '../../pipeline/publish/changes.ts';
import { notesOf } from '../../pipeline/publish/gone.ts';
import { emptyLock, type Lock, markOf, readLock, writeLock } from '../../pipeline/publish/lock.ts';
import { fingerprintOf } from '../store/rendering.ts';

const mark = (name: string): string => markOf(fingerprintOf(name));

/** A layer whose unit u has the weights `weights[u]`; those that are left out are not rendered. */
function layer(slug: string, weights: readonly (string | undefined)[]): ShownLayer {
  const known = weights.flatMap((name, unit): [number, string][] =>
    name === undefined ? [] : [[unit, mark(name)]],
  );
  const missing = weights.flatMap((name, unit) => (name === undefined ? [unit] : []));
  return { slug, name: slug, units: new Map(known), missing: new Set(missing) };
}
const model = (slug: string, ...layers: ShownLayer[]): ShownModel => ({ slug, title: slug, layers });
const first = model('mnist', layer('conv', ['a', 'b', 'c', 'd']), layer('dense', ['e', 'f']));

function publish(
  lock: Lock,
  shown: readonly ShownModel[],
  book: Partial<AddressBook> = {},
  today = '2026-11-21',
  absent: ReadonlyMap<string, string> = new Map(),
  changes: ReadonlyMap<string, ShownChanges> = new Map(),
): Settled {
  const where = { contentDir: 'content', today, absent };
  return settle(lock, { models: shown, changes }, addressBook.parse(book), where);
}
const once = (): Lock => publish(emptyLock, [first]).lock;
const renumbered = (settled: Settled) => settled.lock.models.get('mnist')?.layers.get('conv')?.renumbered;

describe('the lock', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'phosphene-lock-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('is text with a line a layer, sorted, and is written only when something changed', async () => {
    expect(await writeLock(disk, folder, once())).toBe(true);
    const text = await readFile(join(folder, 'addresses.lock'), 'utf8');
    expect(text).toBe(
      [
        '{',
        '  "version": 1,',
        '  "models": {',
        '    "mnist": {',
        '      "title": "mnist",',
        '      "layers": {',
        `        "conv": {"units":"0-3","weights":"${['a', 'b', 'c', 'd'].map(mark).join('')}"},`,
        `        "dense": {"units":"0-1","weights":"${['e', 'f'].map(mark).join('')}"}`,
        '      }',
        '    }',
        '  }',
        '}',
        '',
      ].join('\n'),
    );
    const again = publish(await readLock(disk, folder), [first]).lock;
    expect(await writeLock(disk, folder, again)).toBe(false);
  });

  it('comes back with all that it holds', async () => {
    const grown = model('mnist', layer('conv', ['x', 'a', 'b', 'c', 'd']));
    const { lock } = publish(once(), [grown], { gone: { 'mnist/dense': 'Not needed.' } });
    await writeLock(disk, folder, lock);
    expect(await readLock(disk, folder)).toEqual(lock);
  });

  it('that was cut or edited is refused in one sentence', async () => {
    await writeLock(disk, folder, once());
    const path = join(folder, 'addresses.lock');
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace('"0-3"', '"0-4"'));
    await expect(readLock(disk, folder)).rejects.toThrow(/mnist\/conv: expected units and 8 characters/);
    await writeFile(path, text.slice(0, 99));
    await expect(readLock(disk, folder)).rejects.toThrow(/addresses\.lock: expected JSON, found a mistake/);
  });
});

describe('an address', () => {
  it('stays what it is when a network is trained again and all weights change', () => {
    const trained = model('mnist', layer('conv', ['p', 'q', 'r', 's']), layer('dense', ['t', 'u']));
    const settled = publish(once(), [trained]);
    expect(settled).toMatchObject({ moved: [], gone: [] });
    expect(renumbered(settled)).toEqual([]);
    expect(settled.lock.models.get('mnist')?.layers.get('conv')?.units.get(2)).toBe(mark('r'));
  });

  it.each<[string, ShownModel[], RegExp]>([
    [
      'a layer',
      [model('mnist', layer('conv', ['a', 'b', 'c', 'd']))],
      /^content\/addresses\.lock promises mnist\/dense with 2 units, which the gallery would no longer have: write into content\/addresses\.json where it is now, \{"moved": \{"mnist\/dense": "mnist\/NEW"\}\}, or why it is gone, \{"gone": \{"mnist\/dense": "WHY"\}\}$/,
    ],
    [
      'a layer that has another name now',
      [model('mnist', layer('conv', ['a', 'b', 'c', 'd']), layer('scores', ['e', 'f']))],
      /"moved": \{"mnist\/dense": "mnist\/scores"\}/,
    ],
    [
      'a model that has another name now',
      [model('digits', ...first.layers)],
      /promises mnist with 6 units, .*"moved": \{"mnist": "digits"\}/,
    ],
    ['a model', [], /promises mnist with 6 units/],
    [
      'units',
      [model('mnist', layer('conv', ['p', 'q']), layer('dense', ['e', 'f']))],
      /promises mnist\/conv\/2-3 with 2 units, .*addresses\.json why it is gone, \{"gone": \{"mnist\/conv\/2-3": "WHY"\}\}/,
    ],
    [
      'a picture that is not rendered',
      [model('mnist', layer('conv', ['a', 'b', undefined, 'd']), layer('dense', ['e', 'f']))],
      /promises 1 page of 'mnist' that are not rendered, such as mnist\/conv\/2: run phosphene render mnist first/,
    ],
    [
      'a layer of which nothing is rendered',
      [model('mnist', layer('conv', ['a', 'b', 'c', 'd']), layer('dense', [undefined, undefined]))],
      /promises 3 pages of 'mnist' that are not rendered, such as mnist\/dense\/0: run phosphene render mnist first/,
    ],
  ])('is not lost: %s', (_, shown, sentence) => {
    expect(() => publish(once(), shown)).toThrow(sentence);
  });

  it('of a model whose weights are not here is not lost', () => {
    expect(() => publish(once(), [], {}, '2026-11-21', new Map([['mnist', 'its weights are away']]))).toThrow(
      /promises 9 pages of 'mnist', but its weights are away: render or import it first; phosphene publish --preview/,
    );
  });

  it('of a model or a layer forwards where people say so, through several names, units with it', () => {
    const now = model('digits', layer('conv2d', ['a', 'b', 'c', 'd']), layer('dense', ['e', 'f']));
    const moved = { mnist: 'digits', 'mnist/conv': 'digits/conv', 'digits/conv': 'digits/conv2d' };
    const { lock: between } = publish(once(), [model('digits', ...first.layers)], {
      moved: { mnist: 'digits' },
    });
    const settled = publish(between, [now], { moved });
    expect(settled.moved).toEqual([
      { from: 'mnist', to: 'digits' },
      { from: 'mnist/conv', to: 'digits/conv2d' },
      { from: 'mnist/conv', to: 'digits/conv2d', units: [[0, 3]] },
      { from: 'mnist/dense', to: 'digits/dense' },
      { from: 'mnist/dense', to: 'digits/dense', units: [[0, 1]] },
      { from: 'digits/conv', to: 'digits/conv2d' },
      { from: 'digits/conv', to: 'digits/conv2d', units: [[0, 3]] },
    ]);
  });

  it('that is gone says why, and since the day when it went, for ever', () => {
    const shown = [model('mnist', layer('conv', ['a', 'b']))];
    const gone = { 'mnist/conv/2-3': 'Narrower.' };
    const settled = publish(once(), shown, { gone: { ...gone, 'mnist/dense': 'Not needed.' }, moved: {} });
    const why = settled.gone.map(({ layer: own, unit, why }) => [own, unit, why]);
    expect(why).toEqual([
      ['conv', 2, 'Narrower.'],
      ['conv', 3, 'Narrower.'],
      ['dense', undefined, 'Not needed.'],
      ['dense', 0, 'Not needed.'],
      ['dense', 1, 'Not needed.'],
    ]);
    const later = publish(settled.lock, shown, { gone: { ...gone, 'mnist/dense': 'x' } }, '2027-01-01');
    expect(later.lock).toEqual(settled.lock);
    expect(() => publish(settled.lock, shown)).toThrow(/promises mnist\/conv\/2-3/);
  });
});

describe('a unit that has another number', () => {
  const inserted = model('mnist', layer('conv', ['a', 'x', 'b', 'c', 'd']), layer('dense', ['e', 'f']));

  it('is known by its weights: its old address says so', () => {
    const settled = publish(once(), [inserted]);
    expect(renumbered(settled)).toEqual([
      { unit: 1, now: 2, until: '2026-11-21' },
      { unit: 2, now: 3, until: '2026-11-21' },
      { unit: 3, now: 4, until: '2026-11-21' },
    ]);
    expect(settled.moved).toEqual([]);
    expect(publish(settled.lock, [inserted], {}, '2027-01-01').lock).toEqual(settled.lock);
  });

  it('is followed when it gets another one again, and forgotten when it has its own again', () => {
    const { lock } = publish(once(), [inserted]);
    const twice = model('mnist', layer('conv', ['a', 'x', 'y', 'b', 'c', 'd']), layer('dense', ['e', 'f']));
    expect(renumbered(publish(lock, [twice], {}, '2027-01-01'))).toEqual([
      { unit: 1, now: 3, until: '2026-11-21' },
      { unit: 2, now: 4, until: '2026-11-21' },
      { unit: 3, now: 5, until: '2026-11-21' },
      { unit: 2, now: 3, until: '2027-01-01' },
      { unit: 3, now: 4, until: '2027-01-01' },
      { unit: 4, now: 5, until: '2027-01-01' },
    ]);
    const back = publish(lock, [first], { gone: { 'mnist/conv/4': 'Taken out again.' } }, '2027-01-01');
    expect(renumbered(back)).toEqual([
      { unit: 1, now: null, until: '2027-01-01' },
      { unit: 2, now: 1, until: '2027-01-01' },
      { unit: 3, now: 2, until: '2027-01-01' },
      { unit: 4, now: 3, until: '2027-01-01' },
    ]);
    expect(back.moved).toEqual([{ from: 'mnist/conv/4', to: 'mnist/conv/3' }]);
  });

  it('forwards from a number that the layer does not have any more, and says where a unit went out', () => {
    const pruned = model('mnist', layer('conv', ['a', 'c', 'd']), layer('dense', ['e', 'f']));
    const settled = publish(once(), [pruned]);
    expect(renumbered(settled)).toEqual([
      { unit: 1, now: null, until: '2026-11-21' },
      { unit: 2, now: 1, until: '2026-11-21' },
      { unit: 3, now: 2, until: '2026-11-21' },
    ]);
    expect(settled.moved).toEqual([{ from: 'mnist/conv/3', to: 'mnist/conv/2' }]);
    const again = publish(settled.lock, [pruned], {}, '2027-01-01');
    expect(again).toEqual(settled);
  });

  it('is not guessed where several units have the same weights', () => {
    const alike = publish(emptyLock, [model('mnist', layer('conv', ['0', '0', 'b']))]).lock;
    expect(renumbered(publish(alike, [model('mnist', layer('conv', ['b', '0', '0']))]))).toEqual([
      { unit: 2, now: 0, until: '2026-11-21' },
    ]);
  });
});

describe('a page of changes', () => {
  const page = (name: string): ShownChanges => ({ title: `mnist → ${name}`, mark: mark(name) });
  const settleWith = (
    lock: Lock,
    changes: Record<string, ShownChanges>,
    book: Partial<AddressBook> = {},
    today?: string,
  ) => publish(lock, [first], book, today, undefined, new Map(Object.entries(changes)));
  const both = { a: page('a'), b: page('b') };

  it('is noted, kept, and comes back from the lock', async () => {
    const { lock } = settleWith(once(), both);
    expect(lock.changes.get('a')).toEqual({ ...page('a'), until: null });
    const folder = await mkdtemp(join(tmpdir(), 'phosphene-lock-'));
    await writeLock(disk, folder, lock);
    const text = await readFile(join(folder, 'addresses.lock'), 'utf8');
    expect(text).toContain(`  "changes": {\n    "a": {"title":"mnist → a","mark":"${mark('a')}"},\n`);
    expect(await readLock(disk, folder)).toEqual(lock);
    await rm(folder, { recursive: true });
  });

  it('is not lost: it is there, or forwards, or says since when it is not', () => {
    const { lock } = settleWith(once(), both);
    expect(() => settleWith(lock, { a: both.a })).toThrow(
      /^content\/addresses\.lock promises \/changes\/b\/, .*: take content\/changes\/b\.json from git again, or write into content\/addresses\.json why it is gone, \{"gone": \{"changes\/b": "WHY"\}\}$/,
    );
    const moved = settleWith(lock, { a: both.a }, { moved: { 'changes/b': 'changes/a' } });
    expect(moved.moved).toEqual([{ from: 'changes/b', to: 'changes/a' }]);
    const book = { gone: { 'changes/b': 'Wrong weights.' } };
    const gone = settleWith(lock, { a: both.a }, book);
    expect(gone.gone).toEqual([{ model: 'changes', layer: 'b', why: 'Wrong weights.' }]);
    const later = settleWith(gone.lock, { a: both.a }, book, '2027-01-01');
    expect(later.lock.changes.get('b')).toEqual({ ...both.b, until: '2026-11-21' });
    expect(notesOf(later, later.lock, new Map(), '2027-01-01')).toEqual([
      {
        model: { slug: 'changes', title: 'What changed' },
        layer: { slug: 'b', name: 'mnist → b' },
        until: '2026-11-21',
        why: 'Wrong weights.',
      },
    ]);
  });

  it('shows the same two states for ever', () => {
    const { lock } = settleWith(once(), both);
    expect(() => settleWith(lock, { ...both, a: page('c') })).toThrow(
      /^content\/changes\/a\.json: \/changes\/a\/ was published as 'mnist → a' and stays what it is/,
    );
  });
});

describe('content/addresses.json', () => {
  it.each<[Partial<AddressBook>, RegExp]>([
    [{ moved: { mnits: 'mnist' } }, /'mnits' was never published/],
    [{ gone: { 'mnist/conv': 'Because.' } }, /'mnist\/conv' is in the gallery; leave it out/],
    [{ moved: { 'mnist/dense': 'mnist' } }, /have to be two models, two layers or two units/],
    [
      { moved: { 'mnist/dense': 'mnist/nowhere' } },
      /moved to 'mnist\/nowhere', which the gallery does not have/,
    ],
  ])('%j is refused', (book, sentence) => {
    const shown = [model('mnist', layer('conv', ['a', 'b', 'c', 'd']))];
    expect(() => publish(once(), shown, book)).toThrow(sentence);
  });
});
