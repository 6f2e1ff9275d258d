/** `phosphene verify`: reads all that was made again, and holds it against its checksums. */

import { Command } from 'commander';
import { counted, oneLine } from '../words.ts';
import { printJson, type ReportOptions, type Terminal, withReporting } from './terminal.ts';

interface Options extends ReportOptions {
  readonly store: string;
  readonly content: string;
  readonly public: string;
  readonly repair?: boolean;
}

interface Problem {
  readonly place: string;
  readonly problem: string;
}

export function verifyCommand(terminal: Terminal): Command {
  const command = new Command('verify')
    .summary('read the store and the gallery again and check everything')
    .description(
      'Check every rendering in the store (checksums, records) and every published file (checksums, records, its\nrendering in the store). Ends with 1 where something is wrong.',
    )
    .option('--store <dir>', 'where renderings are kept', '.cache/store')
    .option('--content <dir>', 'the folder that holds gallery/', 'content')
    .option('--public <dir>', 'the folder that holds the pictures in gallery/', 'public')
    .option('--repair', 'remove what is damaged, so that render and publish make it again')
    .addHelpText('after', '\nExample:\n  phosphene verify --repair && phosphene render && phosphene publish')
    .action((options: Options) => verify(options, terminal));
  return withReporting(command);
}

async function verify(options: Options, terminal: Terminal): Promise<void> {
  const { disk, refusal } = await import('../files.ts');
  const { DiskStore } = await import('../store/disk.ts');
  const { verifyPublished } = await import('../publish/verify.ts');
  const store = new DiskStore(options.store);
  const repair = options.repair === true;
  const problems: Problem[] = [];
  const found = (place: string, problem: string): void => {
    problems.push({ place, problem });
    if (!options.json) terminal.print(`${oneLine(place)}: ${oneLine(problem)}\n`);
  };
  let renderings = 0;
  let files = 0;
  let removed = 0;

  if (repair) await store.prepare();
  for await (const fingerprint of store.list()) {
    terminal.signal.throwIfAborted();
    const read = await store.filesOf(fingerprint);
    // Another process may have removed it.
    if (read === undefined) continue;
    renderings++;
    if (!('problem' in read)) continue;
    found(store.placeOf(fingerprint), read.problem);
    if (!repair) continue;
    await store.remove(fingerprint);
    removed++;
  }
  const places = { contentDir: options.content, publicDir: options.public };
  const broken: string[] = [];
  for await (const { file, problem, removable } of verifyPublished(places, store, disk, () => void files++)) {
    terminal.signal.throwIfAborted();
    found(file, problem);
    if (removable) broken.push(file);
  }
  if (repair) {
    for (const file of new Set(broken)) {
      try {
        await disk.remove(file);
        removed++;
      } catch (error) {
        throw refusal(error, file);
      }
    }
  }
  if (options.json) printJson(terminal, { renderings, files, problems, removed });
  else terminal.print(`${sentence(renderings, files, problems.length, removed, repair)}\n`);
  if (problems.length > 0 && !repair) terminal.exitCode = 1;
}

function sentence(
  renderings: number,
  files: number,
  problems: number,
  removed: number,
  repair: boolean,
): string {
  const all = `${counted(renderings, 'rendering')} and ${counted(files, 'published file')}`;
  if (problems === 0) return `${all} are as they were written.`;
  const wrong = `${counted(problems, 'problem')} in ${all}`;
  if (!repair) return `${wrong}; --repair removes what is damaged, so that render and publish make it again.`;
  return `${wrong}, ${removed} removed; phosphene render && phosphene publish make them again.`;
}
