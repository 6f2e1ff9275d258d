import { describe, expect, it } from 'vitest';
import { slug, slugs } from '../pipeline/slug.ts';

describe('a slug', () => {
  it.each([
    ['conv2d_1', 'conv2d_1'],
    ['conv2d/kernel', 'conv2d-kernel'],
    ['Conv1', 'conv1'],
    ['features.0', 'features-0'],
    ['../../x', 'x'],
    ['..\\..\\x', 'x'],
    ['/etc/passwd', 'etc-passwd'],
    ['inception_3a/output', 'inception_3a-output'],
    ['a\0b\nc', 'a-b-c'],
    ['<script>alert(1)</script>', 'script-alert-1-script'],
    ['Größe', 'große'.replace('ß', '-')],
    ['con v  2d', 'con-v-2d'],
  ])('of %j is %j', (name, expected) => {
    expect(slug(name)).toBe(expected);
  });

  it.each(['', '.', '..', '/', '🙂', '漢字', '___', '%2e%2e'.replaceAll('2e', ''), '\ud800'])(
    'of %j, which has no letter to keep, is a hash and the same each time',
    (name) => {
      expect(slug(name)).toMatch(/^unnamed-[0-9a-f]{8}$/);
      expect(slug(name)).toBe(slug(name));
    },
  );

  it('of 300 characters has 80 at most and depends on all of them', () => {
    const one = slug(`${'x'.repeat(300)}a`);
    expect(one).toHaveLength(80);
    expect(one).not.toBe(slug(`${'x'.repeat(300)}b`));
    expect(slug('x'.repeat(1_000_000))).toHaveLength(80);
  });
});

describe('slugs side by side', () => {
  it('are those of the names where these differ', () => {
    expect(slugs(['conv1', 'conv2/relu'])).toEqual(['conv1', 'conv2-relu']);
  });

  it('tell names with one slug apart by the name, whatever their order', () => {
    const names = ['conv/1', 'conv-1', 'Conv 1', 'dense'];
    const forward = slugs(names);
    expect(forward[1]).toBe('conv-1');
    expect(forward[0]).toMatch(/^conv-1-[0-9a-f]{8}$/);
    expect(new Set(forward).size).toBe(4);
    expect(slugs(names.toReversed())).toEqual(forward.toReversed());
  });

  it('tell equal names and a name that imitates a hash apart', () => {
    const [hashed = ''] = slugs(['a/b', 'a b']);
    const all = slugs(['a/b', 'a b', hashed, 'a/b', 'a/b', '🙂', '🙂🙂']);
    expect(new Set(all).size).toBe(all.length);
    for (const own of all) expect(own).toMatch(/^[a-z0-9][a-z0-9_-]{0,79}$/);
  });
});
