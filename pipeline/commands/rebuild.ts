/** `phosphene rebuild`: renders what changed, publishes, builds the site. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Command } from 'commander';
import { PhospheneError } from '../error.ts';
import { duration } from '../words.ts';
import { type WorkOptions, withWorkOptions } from './options.ts';
import { publishAll } from './publish.ts';
import { render } from './render.ts';
import { printJson, type ReportOptions, type Terminal, withReporting } from './terminal.ts';

interface Options extends WorkOptions, ReportOptions {
  readonly content: string;
  readonly public: string;
  readonly preview?: boolean;
}

export function rebuildCommand(terminal: Terminal): Command {
  const command = new Command('rebuild')
    .summary('render what changed, publish, build the site')
    .description(
      'Render what changed of all models whose weights are here, publish the gallery and build the site (npm run build).\nWhat fails ends it there: the site stays as it was.',
    );
  withWorkOptions(command)
    .option('--content <dir>', 'the folder that holds models/', 'content')
    .option('--public <dir>', 'the folder that the site serves as it is', 'public')
    .option(
      '--preview',
      'publish what there is, to be looked at here: neither keeps nor promises any address',
    )
    .addHelpText('after', '\nExample:\n  phosphene rebuild')
    .action((options: Options) => rebuild(options, terminal));
  return withReporting(command);
}

async function rebuild(options: Options, terminal: Terminal): Promise<void> {
  const { readModels } = await import('../content.ts');
  const { modelsOnHand } = await import('./select.ts');
  const models = await readModels(options.content);
  const onHand = await modelsOnHand(models, { named: true, fetch: false }, terminal);
  if (onHand.length === 0) {
    throw new PhospheneError(
      `Expected the weights of a model of ${options.content}/models on this machine, found none; fetch some with phosphene render NAME`,
      { exitCode: 2 },
    );
  }
  const said: string[] = [];
  const part: Terminal = {
    ...terminal,
    print: (text) => void (options.json === true ? said.push(text) : terminal.print(text)),
  };
  await render(
    onHand.map(({ slug }) => slug),
    options,
    part,
  );
  if (part.exitCode === 0) await publishAll(options, part);
  terminal.exitCode = part.exitCode;
  if (terminal.exitCode !== 0) return;
  const seconds = await build(options, terminal.signal);
  const [rendered, published] = said.map((text) => JSON.parse(text) as unknown);
  if (options.json) printJson(terminal, { rendered, published, build: { seconds } });
  else terminal.print(`The site is built, in ${duration(seconds)}; npm start serves it.\n`);
}

/** Seconds that it took. @throws PhospheneError where it fails; what it prints says why. */
async function build(options: Options, signal: AbortSignal): Promise<number> {
  const startedAt = performance.now();
  const child = spawn('npm', ['run', '--silent', 'build'], {
    // stdout is for the result alone.
    stdio: ['ignore', options.json === true ? 2 : 'ignore', 'inherit'],
    shell: process.platform === 'win32',
    env: { ...process.env, PHOSPHENE_CONTENT: options.content, PHOSPHENE_PUBLIC: options.public },
  });
  const stop = (): void => void child.kill('SIGTERM');
  signal.addEventListener('abort', stop, { once: true });
  const [code] = (await once(child, 'close')) as [number | null];
  signal.removeEventListener('abort', stop);
  signal.throwIfAborted();
  if (code !== 0) {
    throw new PhospheneError(
      `Expected npm run build to build the site, found that it failed (${code}); the lines above say why`,
    );
  }
  return (performance.now() - startedAt) / 1000;
}
