/** Removal of what nothing refers to. */

import { join } from 'node:path';
import { type Files, refusal } from '../files.ts';

/**
 * Removes every file below `folder` whose path, relative to it and with `/`, is not in `keep`, and then the folders
 * that are empty. Returns the number of files removed.
 */
export async function removeOthers(files: Files, folder: string, keep: ReadonlySet<string>): Promise<number> {
  const visit = async (below: string): Promise<number> => {
    let removed = 0;
    for (const name of await files.names(join(folder, below))) {
      const path = below === '' ? name : `${below}/${name}`;
      if (keep.has(path)) continue;
      if ((await files.info(join(folder, path)))?.isFolder) {
        removed += await visit(path);
        await files.removeEmpty(join(folder, path));
      } else {
        await files.remove(join(folder, path));
        removed++;
      }
    }
    return removed;
  };
  try {
    return await visit('');
  } catch (error) {
    throw refusal(error, folder);
  }
}
