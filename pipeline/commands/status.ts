/** `phosphene status`: what is rendered, what is not, what is out of date and why. */

import { Command } from 'commander';
import { changesOf, type PictureOptions, withPictureOptions } from './options.ts';
import { printJson, type ReportOptions, type Terminal, withReporting } from './terminal.ts';

interface Options extends PictureOptions, ReportOptions {
  readonly store: string;
}

export function statusCommand(terminal: Terminal): Command {
  const command = new Command('status')
    .summary('what is rendered, what is missing, what is out of date and why')
    .description(
      'Tell for every layer how many units are in the store (fresh), are not (missing), or are there as something made\nthem that has changed since (stale), what has changed, and how long rendering will take. Renders and fetches nothing.',
    )
    .argument(
      '[model...]',
      'names of files in content/models, or model files; by default all of content/models',
    );
  withPictureOptions(command)
    .option('--store <dir>', 'where renderings are kept', '.cache/store')
    .addHelpText(
      'after',
      `
Examples:
  phosphene status
  phosphene status mnist --layers 'conv2d*' --json
  phosphene status mnist --weights retrained.keras     what a new file of weights would change`,
    )
    .action((models: string[], options: Options) => status(models, options, terminal));
  return withReporting(command);
}

async function status(words: string[], options: Options, terminal: Terminal): Promise<void> {
  const { sortWords } = await import('./model-files.ts');
  const { selectModels } = await import('./select.ts');
  const { planSelection } = await import('./plans.ts');
  const { DiskStore } = await import('../store/disk.ts');
  const { statusOf } = await import('../status.ts');
  const { statusText, totalsOf } = await import('./report-status.ts');

  const selection = await selectModels(await sortWords(words, options.content), options, terminal);
  const onHand = { ...options, named: true, fetch: false };
  const { plans } = await planSelection(selection, changesOf(options), onHand, terminal);
  const models = await statusOf(plans, new DiskStore(options.store));
  if (options.json) printJson(terminal, { models, ...totalsOf(models) });
  else terminal.print(statusText(models));
}
