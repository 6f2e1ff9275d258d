/** Where contact sheets go, and what stands at their foot. */

import { resolve } from 'node:path';
import manifest from '../../package.json' with { type: 'json' };
import type { Engine } from '../engine/engine.ts';
import { disk, writeWhole } from '../files.ts';
import { type Sheet, sheetPage } from '../sheet/sheet.ts';

/** Writes a sheet as a file, whole or not at all. @throws PhospheneError where the disk does not take it. */
export async function writeSheet(path: string, sheet: Sheet): Promise<void> {
  await writeWhole(disk, resolve(path), Buffer.from(await sheetPage(sheet)));
}

/** How a sheet was made. */
export function madeBy(command: string, { name, device }: Engine, now: Date): string {
  const day = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long' }).format(now);
  return `Made by phosphene ${command} ${manifest.version} on ${day}; what was not in the store was rendered on ${name} (${device}).`;
}
