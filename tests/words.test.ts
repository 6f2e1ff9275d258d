import { describe, expect, it } from 'vitest';
import { byteCount, counted, duration, oneLine, perSecond, table } from '../pipeline/words.ts';

describe('words', () => {
  it('counts', () => {
    expect([counted(1, 'unit'), counted(0, 'unit'), counted(13000, 'unit')]).toEqual([
      '1 unit',
      '0 units',
      '13,000 units',
    ]);
  });

  it.each([
    [0.04, '0.0 s'],
    [9.94, '9.9 s'],
    [52.4, '52 s'],
    [59.7, '1 min 0 s'],
    [200, '3 min 20 s'],
    [7500, '2 h 5 min'],
  ])('writes %d seconds as %j', (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });

  it.each([
    [1, '1 byte'],
    [999, '999 bytes'],
    [1000, '1 kB'],
    [999_499, '999 kB'],
    [999_501, '1 MB'],
    [58_889_256, '58.9 MB'],
    [553_467_096, '553 MB'],
    [2e9, '2 GB'],
  ])('writes %d bytes as %j', (bytes, text) => {
    expect(byteCount(bytes)).toBe(text);
  });

  it.each([
    [0, '0/s'],
    [0.0512, '0.051/s'],
    [4.25, '4.3/s'],
    [123.4, '123/s'],
  ])('writes a rate of %d as %j', (rate, text) => {
    expect(perSecond(rate)).toBe(text);
  });

  it('puts strangers’ text on one line and takes out what steers a terminal', () => {
    expect(oneLine(' a\r\nb\t\u001b[31mc\u0007\u202e ')).toBe('a b [31mc');
  });

  it('sets tables: numbers to the right, text to the left', () => {
    expect(
      table([
        ['layer', 'units'],
        ['a', 5],
        ['long', 128],
      ]),
    ).toBe('layer  units\na          5\nlong     128');
  });
});
