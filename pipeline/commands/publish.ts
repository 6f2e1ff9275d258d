/** `phosphene publish`: from the store to what the site is built from. */

import { Command } from 'commander';
import type { PublishSummary } from '../publish/publish.ts';
import type { PublishModel } from '../publish/wanted.ts';
import { counted, duration } from '../words.ts';
import { printJson, type ReportOptions, type Terminal, withReporting } from './terminal.ts';

interface Options extends ReportOptions {
  readonly store: string;
  readonly content: string;
  readonly public: string;
  readonly preview?: boolean;
}

export function publishCommand(terminal: Terminal): Command {
  const command = new Command('publish')
    .summary('write the gallery from the store')
    .description(
      'Write content/gallery and public/gallery from the store: what content/models asks for and the store has.\nWrites only what changed and removes what nothing refers to. Addresses are kept in content/addresses.lock: one that\nwas published once is shown, or content/addresses.json says what became of it.',
    )
    .option('--store <dir>', 'where renderings are kept', '.cache/store')
    .option('--content <dir>', 'the folder that holds models/; gallery/ is written there', 'content')
    .option('--public <dir>', 'the folder that the site serves as it is; gallery/ is written there', 'public')
    .option(
      '--preview',
      'publish what is there, to be looked at here: neither keeps nor promises any address',
    )
    .addHelpText('after', '\nExample:\n  phosphene render && phosphene publish && npx astro build')
    .action((options: Options) => publishAll(options, terminal));
  return withReporting(command);
}

export async function publishAll(options: Options, terminal: Terminal): Promise<void> {
  const { readModels } = await import('../content.ts');
  const { openEngine } = await import('../engine/choose.ts');
  const { modelOf } = await import('../publish/unchanged.ts');
  const { publish } = await import('../publish/publish.ts');
  const { readReleases, releasedModel } = await import('../publish/releases.ts');
  const { disk } = await import('../files.ts');
  const { DiskStore } = await import('../store/disk.ts');
  const { weightsOnThisMachine } = await import('../weights/machine.ts');
  const { findWeights } = await import('../weights/weights.ts');

  const engine = await openEngine('cpu');
  const effects = weightsOnThisMachine(terminal.signal, (event) => terminal.emit(event));
  const models: PublishModel[] = [];
  const absent: string[] = [];
  for (const model of await readModels(options.content)) {
    terminal.signal.throwIfAborted();
    const found = await findWeights(model, {}, effects);
    if (found === undefined) absent.push(model.slug);
    else models.push(await modelOf(found, engine));
  }
  if (absent.length > 0) {
    const reason = `their weights are not in ${effects.folder}`;
    terminal.emit({ kind: 'left-out', models: absent, reason });
  }
  const releases = (await readReleases(disk, options.content)).map(releasedModel);
  const notHere = new Map(absent.map((slug) => [slug, `its weights are not in ${effects.folder}`]));
  const summary = await publish([...models, ...releases], {
    store: new DiskStore(options.store),
    contentDir: options.content,
    publicDir: options.public,
    signal: terminal.signal,
    ...(options.preview === true ? {} : { promises: { today: today(), absent: notHere } }),
    emit: (event) => terminal.emit(event),
  });
  terminal.settle();
  if (options.json) printJson(terminal, summary);
  else terminal.print(`${sentence(summary)}\n`);
}

const today = (): string => new Date().toISOString().slice(0, 10);

function sentence({ units, pictures, files, seconds }: PublishSummary): string {
  const parts = [
    `${counted(units.published, 'unit')} published in ${duration(seconds)}`,
    `${pictures.encoded} encoded`,
    `${counted(files.written, 'file')} written`,
    `${files.removed} removed`,
  ];
  if (units.dead > 0) parts.push(`${units.dead} marked as dead`);
  const open = units.missing + units.damaged;
  if (open > 0) parts.push(`${counted(open, 'unit')} not rendered yet (phosphene render does it)`);
  return `${parts.join(', ')}.`;
}
