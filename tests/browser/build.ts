/** Builds the site from any gallery to any folder, in a process of its own, as `astro build` does. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { SampleFolders } from './sample-gallery.ts';

const program = 'node_modules/astro/bin/astro.mjs';

/**
 * What it keeps for later builds lies beside the target, and so does a portable copy. The test runner's own environment stays out of it: it holds BASE_URL and PROD.
 *
 * @throws with the output of the build where it fails.
 */
export async function buildSite(
  folders: SampleFolders,
  target: string,
  base = '/',
  site?: string,
): Promise<void> {
  await promisify(execFile)(process.execPath, [program, 'build'], {
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      NODE_ENV: 'production',
      ASTRO_TELEMETRY_DISABLED: '1',
      PHOSPHENE_CONTENT: folders.content,
      PHOSPHENE_PUBLIC: folders.public,
      PHOSPHENE_OUT: target,
      PHOSPHENE_CACHE: `${target}-cache`,
      PHOSPHENE_BASE: base,
      PHOSPHENE_PORTABLE: `${target}-portable`,
      ...(site === undefined ? {} : { PHOSPHENE_SITE: site }),
    },
  });
}
