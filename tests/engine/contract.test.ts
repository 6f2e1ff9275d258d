/** One contract for every engine, one row an engine. */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { EngineName } from '../../pipeline/engine/choose.ts';
import { cudaMissing } from '../../pipeline/engine/cuda.ts';
import { softwareVulkan, vulkanDriver } from '../browser/chromium.ts';
import { ifMissing } from '../fixtures.ts';
import type { Answer } from './answer.ts';
import { contract } from './contract.ts';

interface Row {
  readonly engine: EngineName;
  /** Why it cannot answer here. */
  readonly missing?: string | undefined;
  readonly env?: Readonly<Record<string, string>>;
  /** Cases that may miss by more, as multiples of what is allowed. */
  readonly looser?: Readonly<Record<string, number>>;
}

const vulkan = await softwareVulkan();

const rows: readonly Row[] = [
  { engine: 'cpu' },
  {
    engine: 'webgpu',
    missing: vulkan === undefined ? 'SwiftShader comes for Linux on x64' : undefined,
    env: { LD_LIBRARY_PATH: vulkan ?? '', VK_ICD_FILENAMES: join(vulkan ?? '', vulkanDriver) },
    // Vulkan asks of sine and cosine no more than 2⁻¹¹.
    looser: { 'ops/sin': 100, 'ops/cos': 100 },
  },
  { engine: 'cuda', missing: cudaMissing() },
  { engine: 'tfjs' },
];

const title = ({ engine, missing }: Row): string =>
  missing === undefined
    ? `${engine} answers every case within what is allowed`
    : `${engine} (skipped: ${missing})`;

describe(`the engine contract${ifMissing}`, () => {
  for (const row of rows) {
    it.skipIf(row.missing !== undefined)(title(row), { timeout: 900_000 }, async () => {
      const answers = await answersOf(row);
      const wrong = answers.filter(({ name, miss }) => !(miss !== null && miss <= (row.looser?.[name] ?? 1)));
      expect(wrong).toEqual([]);
      expect(answers).toHaveLength(contract.filter(({ slow }) => !slow).length);
    });
  }
});

async function answersOf({ engine, env }: Row): Promise<Answer[]> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(import.meta.dirname, 'answer.ts'), engine],
    { env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env }, maxBuffer: 2 ** 24 },
  );
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Answer);
}
