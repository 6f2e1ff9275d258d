/** A process that writes renderings without end, to be killed: `node writer.ts <store folder> <first seed>`. */

import { DiskStore } from '../../pipeline/store/disk.ts';
import { rendering } from './rendering.ts';

const [folder = '', first = '0'] = process.argv.slice(2);
const store = new DiskStore(folder);
for (let seed = Number(first); ; seed++) {
  await store.write(rendering(seed, { widthPx: 48, heightPx: 48, channels: 3 }));
  process.stdout.write(`${seed}\n`);
}
