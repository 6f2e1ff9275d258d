/** `phosphene export` and `phosphene import`: a store, or a part of one, carried as one file. */

import { Command } from 'commander';
import { PhospheneError } from '../error.ts';
import { suggestion } from '../nearest.ts';
import { byteCount, counted, oneLine } from '../words.ts';
import { printJson, type ReportOptions, type Terminal, withReporting } from './terminal.ts';
import { names, unitNumbers } from './values.ts';

interface StoreOptions extends ReportOptions {
  readonly store: string;
}

interface ExportOptions extends StoreOptions {
  readonly content: string;
  readonly layers?: string[];
  readonly units?: number[];
}

export function exportCommand(terminal: Terminal): Command {
  const command = new Command('export')
    .summary('write the store, or a part of it, into one file')
    .description(
      'Write renderings into one file, to be imported elsewhere: what a GPU machine rendered, a laptop publishes.',
    )
    .argument('<file>', 'the file to write, e.g. gallery.tar')
    .argument('[model...]', 'models by name, as they were rendered; by default all that is in the store')
    .option('--layers <names>', 'layers by name or pattern, e.g. conv2d,dense*', names)
    .option('--units <numbers>', 'units from 0, e.g. 0-15,40', unitNumbers)
    .option('--store <dir>', 'where renderings are kept', '.cache/store')
    .option('--content <dir>', 'the folder that holds releases/; a model is exported with its own', 'content')
    .addHelpText('after', "\nExample:\n  phosphene export mnist.tar mnist --layers 'conv2d*'")
    .action((file: string, models: string[], options: ExportOptions) =>
      exportStore(file, models, options, terminal),
    );
  return withReporting(command);
}

async function exportStore(
  file: string,
  models: readonly string[],
  { layers, units, ...options }: ExportOptions,
  terminal: Terminal,
): Promise<void> {
  const { DiskStore } = await import('../store/disk.ts');
  const { exportRenderings } = await import('../store/archive.ts');
  const { matches } = await import('../pattern.ts');
  const store = new DiskStore(options.store);
  const { disk } = await import('../files.ts');
  const { readReleases, releasedFingerprints } = await import('../publish/releases.ts');
  // A model may have had another name when it was rendered.
  const released = new Set(
    models.length === 0 ? [] : releasedFingerprints(await readReleases(disk, options.content), models),
  );
  const known = new Set<string>();
  const chosen: string[] = [];
  for await (const { fingerprint, model, layer, unit } of store.records()) {
    terminal.signal.throwIfAborted();
    known.add(model);
    const isMeant =
      (models.length === 0 || models.includes(model) || released.has(fingerprint)) &&
      (layers === undefined || layers.some((pattern) => matches(pattern, layer))) &&
      (units === undefined || units.includes(unit));
    if (isMeant) chosen.push(fingerprint);
  }
  const unknown = models.find((model) => !known.has(model));
  if (unknown !== undefined && known.size > 0) {
    throw new PhospheneError(
      `${options.store} has no rendering of a model '${oneLine(unknown)}'${suggestion(unknown, [...known].sort())}`,
      { exitCode: 2 },
    );
  }
  if (chosen.length === 0) {
    throw new PhospheneError(
      `Expected renderings in ${options.store} to export, found ${known.size === 0 ? 'none' : 'none of those layers and units'}`,
      { exitCode: 2 },
    );
  }
  const exported = await exportRenderings(store, chosen, file, terminal.signal);
  if (options.json) printJson(terminal, { file, ...exported });
  else
    terminal.print(
      `${counted(exported.renderings, 'rendering')} in ${oneLine(file)}, ${byteCount(exported.bytes)}.\n`,
    );
}

export function importCommand(terminal: Terminal): Command {
  const command = new Command('import')
    .summary('take what another store exported into this one')
    .description('Take the renderings of an exported file into the store. Each is checked before it is kept.')
    .argument('<file>', 'a file that phosphene export wrote')
    .option('--store <dir>', 'where renderings are kept', '.cache/store')
    .addHelpText('after', '\nExample:\n  phosphene import mnist.tar && phosphene publish')
    .action((file: string, options: StoreOptions) => importStore(file, options, terminal));
  return withReporting(command);
}

async function importStore(file: string, options: StoreOptions, terminal: Terminal): Promise<void> {
  const { DiskStore } = await import('../store/disk.ts');
  const { importRenderings } = await import('../store/archive.ts');
  const imported = await importRenderings(new DiskStore(options.store), file, terminal.signal);
  if (options.json) printJson(terminal, { file, ...imported });
  else {
    const { renderings, added } = imported;
    terminal.print(`${counted(added, 'rendering')} imported, ${renderings - added} in the store already.\n`);
  }
}
