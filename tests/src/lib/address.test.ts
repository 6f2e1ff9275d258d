import { describe, expect, it } from 'vitest';
import { absolute, addressesBelow } from '../../../src/lib/address.ts';

describe('addresses', () => {
  it('are those of the design at the root', () => {
    const at = addressesBelow('/');
    expect(at.home).toBe('/');
    expect(at.model('mnist')).toBe('/mnist/');
    expect(at.layer('mnist', 'conv2d_1')).toBe('/mnist/conv2d_1/');
    expect(at.layer('mnist', 'conv2d_1', 17)).toBe('/mnist/conv2d_1/#unit-17');
    expect(at.unit('mnist', 'conv2d_1', 17)).toBe('/mnist/conv2d_1/17/');
    expect(at.record('mnist', 'conv2d_1', 17)).toBe('/mnist/conv2d_1/17.json');
    expect(at.picture('mnist', 'conv2d_1', 17)).toBe('/mnist/conv2d_1/17.webp');
    expect(at.strip('mnist', 'conv2d_1', 17)).toBe('/mnist/conv2d_1/17.strip.webp');
  });

  it.each(['/some/gallery', '/some/gallery/'])('lie below the base %s', (base) => {
    expect(addressesBelow(base).home).toBe('/some/gallery/');
    expect(addressesBelow(base).unit('m', 'l', 0)).toBe('/some/gallery/m/l/0/');
  });

  it('keep what a slug holds from being read as part of an address', () => {
    expect(addressesBelow('/').model('a/../b?c#d')).toBe('/a%2F..%2Fb%3Fc%23d/');
  });

  it('are whole where the host is known, else paths', () => {
    expect(absolute('/m/', new URL('https://example.org/x/'))).toBe('https://example.org/m/');
    expect(absolute('/m/', undefined)).toBe('/m/');
  });
});
