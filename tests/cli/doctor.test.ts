import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Diagnosis } from '../../pipeline/probe/diagnose.ts';
import { run } from './run.ts';

it('doctor tells of every engine whether it works, and of each that does not what to do', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'phosphene-doctor-'));
  const { code, stdout } = await run(['doctor', '--json'], folder);
  expect(code).toBe(0);
  const { engines, auto, versions, machine, advice } = JSON.parse(stdout) as Diagnosis;
  expect(engines.map(({ engine }) => engine)).toEqual(['cpu', 'webgpu', 'cuda', 'tfjs']);
  expect(engines.find(({ engine }) => engine === 'cpu')).toMatchObject({ works: true });
  expect(engines.find(({ engine }) => engine === auto)).toMatchObject({ works: true });
  expect(versions.node).toBe(process.versions.node);
  expect(machine.memoryBytes).toBeGreaterThan(machine.freeBytes);
  for (const each of engines) {
    if (!each.works) expect(advice).toContainEqual({ about: each.engine, sentence: each.reason });
  }
  for (const { sentence } of advice) expect(sentence).not.toMatch(/\n|\.$/);
  expect(advice.map(({ about }) => about)).toContain('@tensorflow/tfjs-node-gpu');
});
