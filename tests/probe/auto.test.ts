import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { EngineName } from '../../pipeline/engine/choose.ts';
import { chosenEngine, fastest } from '../../pipeline/probe/auto.ts';
import { type Probe, probe } from '../../pipeline/probe/probe.ts';

const works = (engine: EngineName, msPerPictureStep: number): Probe => ({
  engine,
  works: true,
  device: 'device',
  msPerPictureStep,
});

afterEach(() => void vi.unstubAllEnvs());

describe('fastest', () => {
  it('takes the fastest engine that works', () => {
    expect(fastest([works('cpu', 10), works('webgpu', 1), works('cuda', 0.5)])).toBe('cuda');
    const broken: Probe = { engine: 'cuda', works: false, reason: 'no library' };
    expect(fastest([works('cpu', 10), works('webgpu', 1), broken])).toBe('webgpu');
  });

  it('stays on the CPU where a graphics card is a program, or hardly faster', () => {
    expect(fastest([works('cpu', 10), works('webgpu', 1200)])).toBe('cpu');
    expect(fastest([works('cpu', 10), works('webgpu', 9)])).toBe('cpu');
    expect(fastest([])).toBe('cpu');
  });
});

describe.skipIf(process.platform !== 'linux')('auto (skipped elsewhere than on Linux)', () => {
  it('tries engines once, and again when the environment changes', async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'phosphene-auto-')), 'engines.json');
    const tried: EngineName[] = [];
    const choose = () => chosenEngine('auto', ({ engine }) => void tried.push(engine), file);
    // A driver that is not there: the engine is tried and fails.
    vi.stubEnv('VK_ICD_FILENAMES', '/nowhere.json');
    const first = await choose();
    expect(tried.slice(0, 2)).toEqual(['cpu', 'webgpu']);
    const kept = JSON.parse(await readFile(file, 'utf8')) as { probes: Probe[] };
    expect(first.name).toBe(fastest(kept.probes));
    expect(kept.probes.find(({ engine }) => engine === 'webgpu')).toMatchObject({ works: false });
    const count = tried.length;
    expect((await choose()).name).toBe(first.name);
    expect(tried).toHaveLength(count);
    vi.stubEnv('VK_ICD_FILENAMES', '/elsewhere.json');
    await choose();
    expect(tried).toHaveLength(2 * count);
  });

  it('tries nothing where an engine is named', async () => {
    const tried: EngineName[] = [];
    await chosenEngine('cpu', ({ engine }) => void tried.push(engine), '/nowhere/engines.json');
    expect(tried).toEqual([]);
  });
});

describe('probe', () => {
  it('outlives a process that a driver ends, and says so', async () => {
    vi.stubEnv('NODE_OPTIONS', '--import data:text/javascript,process.abort()');
    expect(await probe(['cpu'])).toEqual([
      { engine: 'cpu', works: false, reason: expect.stringMatching(/ended by SIGABRT/) },
    ]);
  });

  it('measures the CPU and finds it right', async () => {
    const [found] = await probe(['cpu']);
    expect(found).toMatchObject({ engine: 'cpu', works: true });
    if (found?.works) expect(found.msPerPictureStep).toBeGreaterThan(0);
  });
});
