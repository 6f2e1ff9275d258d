import { describe, expect, it } from 'vitest';
import { asDuration, asProbability, inDigits, inPercent, plainName } from '../../pipeline/sheet/words.ts';

describe('numbers of a sheet', () => {
  it('have three digits, thousands apart and true minus signs', () => {
    expect([4.3149, -0.02, 13_400, 1_234_567, 0, 0.00012, null].map(inDigits)).toEqual([
      '4.31',
      '−0.02',
      '13\u202f400',
      '1\u202f230\u202f000',
      '0',
      '1.2e-4',
      '–',
    ]);
    expect([0, 0.001, 0.5, 0.996, 1, 1.03, -0.05, null].map(inPercent)).toEqual(
      ['0', '< 1', '50', '> 99', '100', '103', '−5'].map((text) => `${text}\u202f%`).concat('–'),
    );
    expect([0.0001, 0.9981, 1, undefined].map(asProbability)).toEqual(['< .001', '.998', '> .999', '–']);
    expect([0.04, 1.234, null].map(asDuration)).toEqual(['40 ms', '1.23 s', '–']);
  });
});

describe('plainName', () => {
  it('takes out what turns or hides text, and cuts', () => {
    expect(plainName('a\u202eb\u0000c')).toBe('abc');
    expect(plainName('\u200b ')).toBe('(no name)');
    expect(plainName('x'.repeat(80))).toBe(`${'x'.repeat(59)}…`);
  });
});
