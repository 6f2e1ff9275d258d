/** `phosphene gc`: removes from the store what no model of the content folder refers to. */

import { Command } from 'commander';
import { byteCount, counted } from '../words.ts';
import { printJson, type ReportOptions, type Terminal, withReporting } from './terminal.ts';

interface Options extends ReportOptions {
  readonly store: string;
  readonly content: string;
  readonly dryRun?: boolean;
}

export function gcCommand(terminal: Terminal): Command {
  const command = new Command('gc')
    .summary('remove from the store what no model refers to any more')
    .description(
      'Remove renderings that no file in content/models asks for: of older weights, of other recipes, of models that are\ngone. What a release or the note of a unit that is gone shows stays, and so do models whose weights are not here.',
    )
    .option('--store <dir>', 'where renderings are kept', '.cache/store')
    .option('--content <dir>', 'the folder that holds models/', 'content')
    .option('--dry-run', 'only say what would be removed')
    .addHelpText('after', '\nExample:\n  phosphene gc --dry-run')
    .action((options: Options) => gc(options, terminal));
  return withReporting(command);
}

async function gc(options: Options, terminal: Terminal): Promise<void> {
  const { planSelection } = await import('./plans.ts');
  const { selectModels } = await import('./select.ts');
  const { DiskStore } = await import('../store/disk.ts');
  const { disk } = await import('../files.ts');
  const { changedFingerprints, readChanges } = await import('../publish/changes.ts');
  const { lastFingerprints } = await import('../publish/gone.ts');
  const { readLock } = await import('../publish/lock.ts');
  const { readReleases, releasedFingerprints } = await import('../publish/releases.ts');
  const { content, dryRun = false } = options;
  const selection = await selectModels({ slugs: [], files: [] }, { content }, terminal);
  const onHand = { ...options, named: true, fetch: false };
  const { plans } = await planSelection(selection, {}, onHand, terminal);

  const wanted = new Set([
    ...plans.flatMap(({ layers }) =>
      layers.flatMap(({ units }) => units.map(({ fingerprint }) => fingerprint)),
    ),
    ...releasedFingerprints(await readReleases(disk, content)),
    ...lastFingerprints(await readLock(disk, content)),
    ...changedFingerprints((await readChanges(disk, content)).values()),
  ]);
  const planned = new Set(plans.map(({ slug }) => slug));
  const unplanned = new Set(selection.models.map(({ slug }) => slug).filter((slug) => !planned.has(slug)));
  const store = new DiskStore(options.store);
  if (!dryRun) await store.prepare();
  let [kept, removed, bytes] = [0, 0, 0];
  for await (const { fingerprint, model } of store.records()) {
    terminal.signal.throwIfAborted();
    if (wanted.has(fingerprint) || unplanned.has(model)) {
      kept++;
      continue;
    }
    bytes += await store.bytesOf(fingerprint);
    if (!dryRun) await store.remove(fingerprint);
    removed++;
  }
  if (options.json) {
    printJson(terminal, { dryRun, kept, removed, bytes });
    return;
  }
  const what = `${counted(removed, 'rendering')} (${byteCount(bytes)})`;
  terminal.print(
    removed === 0
      ? `Nothing to remove: all ${counted(kept, 'rendering')} are of models in ${content}/models.\n`
      : `${what} ${dryRun ? 'would be' : 'were'} removed, ${kept} kept.\n`,
  );
}
