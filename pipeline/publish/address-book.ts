/** content/addresses.json, where people say what became of addresses that are not in the gallery any more. */

import { join } from 'node:path';
import { type AddressBook, addressBook } from '../../content/schema.ts';
import type { Files } from '../files.ts';
import { parseJson, parseStrict } from '../strict.ts';

/** Empty where there is no such file. @throws PhospheneError (exit code 2) for one that is wrong. */
export async function readAddressBook(files: Files, contentDir: string): Promise<AddressBook> {
  const path = join(contentDir, 'addresses.json');
  if ((await files.info(path)) === undefined) return { moved: {}, gone: {} };
  return parseStrict(addressBook, parseJson((await files.read(path)).toString('utf8'), path), path);
}
