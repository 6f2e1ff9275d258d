/** `phosphene release`: freezes what the gallery shows of models, under addresses that stay. */

import { Command } from 'commander';
import { PhospheneError } from '../error.ts';
import { counted, oneLine } from '../words.ts';
import { printJson, type ReportOptions, type Terminal, withReporting } from './terminal.ts';

interface Options extends ReportOptions {
  readonly store: string;
  readonly content: string;
}

interface Released {
  readonly model: string;
  /** Below the site. */
  readonly address: string;
  readonly file: string;
  readonly units: number;
  readonly missing: number;
  /** False where it was released already, just so. */
  readonly written: boolean;
}

export function releaseCommand(terminal: Terminal): Command {
  const command = new Command('release')
    .summary('freeze what the gallery shows of a model')
    .description(
      'Freeze what is rendered of models under /<model>@<name>/, which never changes: for papers to link to. Writes\ncontent/releases/<model>@<name>.json, for git; the next publish shows it.',
    )
    .argument('<name>', 'what the release is called, e.g. v1 or 2026-11')
    .argument('[model...]', 'models of content/models by name; by default all whose weights are here')
    .option('--store <dir>', 'where renderings are kept', '.cache/store')
    .option('--content <dir>', 'the folder that holds models/; releases/ is written there', 'content')
    .addHelpText('after', '\nExample:\n  phosphene release v1 mnist && phosphene publish')
    .action((name: string, models: string[], options: Options) => release(name, models, options, terminal));
  return withReporting(command);
}

async function release(
  name: string,
  slugs: readonly string[],
  options: Options,
  terminal: Terminal,
): Promise<void> {
  const { openEngine } = await import('../engine/choose.ts');
  const { disk } = await import('../files.ts');
  const { publishModel } = await import('../publish/models.ts');
  const { freeze, releaseName, releasePath, writeRelease } = await import('../publish/releases.ts');
  const { DiskStore } = await import('../store/disk.ts');
  const { planSelection } = await import('./plans.ts');
  const { selectModels } = await import('./select.ts');
  if (!releaseName.test(name)) {
    throw new PhospheneError(
      `Expected a name of small letters, digits and single '-', '_', '.' between them, as 'v1', found '${oneLine(name)}'`,
      { exitCode: 2 },
    );
  }
  const selection = await selectModels({ slugs, files: [] }, options, terminal);
  const onHand = { ...options, named: slugs.length > 0, fetch: false };
  const { plans } = await planSelection(selection, {}, onHand, terminal);
  const engine = await openEngine('cpu');
  const store = new DiskStore(options.store);
  const released: Released[] = [];
  for (const plan of plans) {
    terminal.signal.throwIfAborted();
    const model = await publishModel(plan, engine);
    const wanted = model.layers.flatMap(({ wanted }) => wanted.map(({ fingerprint }) => fingerprint));
    const there = await store.hasAll(wanted);
    if (there.size === 0) {
      throw new PhospheneError(
        `Expected renderings of '${model.slug}' in ${options.store} to release, found none: run phosphene render ${model.slug} first`,
      );
    }
    const frozen = freeze(model, name, new Date().toISOString(), there);
    const units = wanted.filter((fingerprint) => there.has(fingerprint)).length;
    released.push({
      model: model.slug,
      address: `/${model.slug}@${name}/`,
      file: releasePath(options.content, frozen),
      units,
      missing: wanted.length - units,
      written: await writeRelease(disk, options.content, frozen),
    });
  }
  if (options.json) printJson(terminal, { releases: released });
  else terminal.print(released.map((one) => `${sentence(one)}\n`).join(''));
}

function sentence({ address, file, units, missing, written }: Released): string {
  const left = missing === 0 ? '' : ` (${counted(missing, 'unit')} not rendered, left out)`;
  return written
    ? `${counted(units, 'unit')} frozen as ${address}${left}; keep ${file} in git, phosphene publish shows it.`
    : `${address} is released already, just as it is now.`;
}
