/** The workflow that comes with the project says nothing that the command line does not know. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { project, run } from './cli/run.ts';

it('calls commands and scripts that there are, and gives the site its base and its host', async () => {
  const workflow = await readFile(join(project, '.github/workflows/gallery.yml'), 'utf8');
  const { stdout } = await run(['--help'], project);
  const commands = [...workflow.matchAll(/npx phosphene (\w+)/g)].map(([, name]) => name);
  expect(commands).toEqual(['import', 'rebuild', 'export']);
  for (const name of commands) expect(stdout).toMatch(new RegExp(`^  ${name} `, 'm'));
  const config = await readFile(join(project, 'astro.config.mjs'), 'utf8');
  for (const [, name] of workflow.matchAll(/(PHOSPHENE_\w+):/g)) expect(config).toContain(name);
});
