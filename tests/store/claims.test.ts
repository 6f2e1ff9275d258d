import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { disk } from '../../pipeline/files.ts';
import { DiskClaims } from '../../pipeline/store/claims.ts';
import { fingerprintOf } from './rendering.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'phosphene-claims-'));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

const one = fingerprintOf('one');
const claims = (): DiskClaims => new DiskClaims(folder, disk);
const names = () => readdir(join(folder, '.claims'));
/** A claim as another process would have written it. */
async function claimedBy(owner: string, sign: string): Promise<void> {
  await disk.makeFolder(join(folder, '.claims'));
  await disk.write(join(folder, '.claims', one), Buffer.from(owner), false);
  await disk.write(join(folder, '.claims', `.${owner}`), Buffer.from(sign), false);
}

it('a unit is claimed by one of many at once, until it is given back', async () => {
  const many = Array.from({ length: 8 }, claims);
  const taken = await Promise.all(many.map((each) => each.take(one)));
  expect(taken.filter((each) => each)).toHaveLength(1);
  const owner = many[taken.indexOf(true)] as DiskClaims;
  expect(await owner.take(one)).toBe(true);
  await owner.release(one);
  const [next] = many.filter((each) => each !== owner);
  expect(await next?.take(one)).toBe(true);
  await next?.release(one);
  for (const each of many) await each.close();
  await expect(names()).rejects.toThrow('ENOENT');
});

it('the claim of a process that is gone is taken over at once', async () => {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'close');
  await claimedBy(`${child.pid}@${hostname()}@abc`, '1');
  const mine = claims();
  expect(await mine.take(one)).toBe(true);
  await mine.close();
});

it('a claim of another machine is taken over when its sign of life stops, whatever the clock says', async () => {
  await claimedBy('1@elsewhere@abc', '1');
  const mine = claims();
  let now = 1000;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  vi.spyOn(Date, 'now').mockImplementation(() => now * 1e9);
  expect(await mine.take(one)).toBe(false);
  now += 20_000;
  expect(await mine.take(one)).toBe(false);
  await disk.write(join(folder, '.claims/.1@elsewhere@abc'), Buffer.from('2'), false);
  now += 20_000;
  expect(await mine.take(one)).toBe(false);
  now += 29_000;
  expect(await mine.take(one)).toBe(false);
  now += 2000;
  expect(await mine.take(one)).toBe(true);
  await mine.close();
});
