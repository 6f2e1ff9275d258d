/** The browsers that tests can use here, found without starting one. */

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';

/** What a Chromium is called on PATH. */
export const chromiumNames = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** The programs of these names on PATH, in the order of the names. */
export function onPath(names: readonly string[]): string[] {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return names.flatMap((name) =>
    folders.map((folder) => join(folder, name)).filter((path) => existsSync(path)),
  );
}

/** The first that tests would take; undefined where there is none. */
export function browserForTests(): string | undefined {
  const named = process.env['PHOSPHENE_CHROMIUM'];
  if (named !== undefined) return named;
  const [system] = onPath(chromiumNames);
  return system ?? registryChromium();
}

/** The package that tests unpack where the system has no browser. */
function registryChromium(): string | undefined {
  try {
    createRequire(import.meta.url).resolve('@sparticuz/chromium');
    return '@sparticuz/chromium';
  } catch {
    return undefined;
  }
}
