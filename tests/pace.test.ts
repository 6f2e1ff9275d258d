import { describe, expect, it } from 'vitest';
import { Pace } from '../pipeline/pace.ts';

describe('Pace', () => {
  it('knows nothing before something is done', () => {
    const pace = new Pace(10, 0);
    expect(pace.rate(5000)).toBe(0);
    expect(pace.secondsLeft(5000)).toBeUndefined();
  });

  it('is exact for even work', () => {
    const pace = new Pace(100, 0);
    for (let done = 1; done <= 20; done++) pace.mark(done, done * 500);
    expect(pace.rate(10_000)).toBe(2);
    expect(pace.secondsLeft(10_000)).toBe(40);
  });

  it('follows work that becomes slower, within half a minute', () => {
    const pace = new Pace(1000, 0);
    for (let done = 1; done <= 100; done++) pace.mark(done, done * 100);
    for (let done = 101; done <= 140; done++) pace.mark(done, 10_000 + (done - 100) * 1000);
    expect(pace.rate(50_000)).toBeCloseTo(1, 1);
  });

  it('counts what others took away as neither done nor left', () => {
    const pace = new Pace(100, 0);
    pace.mark(10, 10_000);
    pace.mark(20, 20_000, 60);
    expect(pace.secondsLeft(20_000)).toBe(40);
  });

  it('has nothing left at the end', () => {
    const pace = new Pace(1, 0);
    pace.mark(1, 100);
    expect(pace.secondsLeft(100)).toBe(0);
  });
});
