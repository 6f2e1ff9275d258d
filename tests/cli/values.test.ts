import { describe, expect, it } from 'vitest';
import { lambdaExpression, names, unitNumbers, wholeNumber } from '../../pipeline/commands/values.ts';

describe('unitNumbers', () => {
  it.each([
    ['0', [0]],
    ['0-3,7', [0, 1, 2, 3, 7]],
    [' 9 , 2-3 ,3-4', [2, 3, 4, 9]],
    ['5-5', [5]],
  ])('reads %j', (text, units) => {
    expect(unitNumbers(text)).toEqual(units);
  });

  it.each(['', '-1', '3-1', 'a', '1..3', '1,,2', '0x10', '1e3', '0-1000000'])('refuses %j', (text) => {
    expect(() => unitNumbers(text)).toThrow(/^Expected units from 0 as numbers and ranges/);
  });
});

describe('wholeNumber', () => {
  it('takes both ends of its range and nothing outside', () => {
    const parse = wholeNumber(1, 16);
    expect([parse('1'), parse('16'), parse(' +4 ')]).toEqual([1, 16, 4]);
    for (const text of ['0', '17', '-1', '1.5', '1e1', '', 'x', 'NaN', '0x2']) {
      expect(() => parse(text)).toThrow('Expected a whole number from 1 to 16.');
    }
  });
});

describe('names', () => {
  it('splits at commas and leaves out what is empty', () => {
    expect(names('conv2d, dense*,')).toEqual(['conv2d', 'dense*']);
    expect(() => names(' ,')).toThrow(/^Expected names or patterns/);
  });
});

describe('lambdaExpression', () => {
  it('takes name and expression apart at the first =, and adds to those before', () => {
    const first = lambdaExpression('lambda_1 = x / 127.5 - 1');
    expect(first).toEqual({ lambda_1: 'x / 127.5 - 1' });
    expect(lambdaExpression('inner/f=x', first)).toEqual({ lambda_1: 'x / 127.5 - 1', 'inner/f': 'x' });
  });

  it.each(['', 'lambda_1', 'lambda_1=', '=x', `f=${'x'.repeat(1001)}`])('refuses %j', (text) => {
    expect(() => lambdaExpression(text)).toThrow("Expected a layer's name and what it computes of x");
  });
});
