#!/usr/bin/env node
/** `phosphene`: reads the command line, runs one command, and turns whatever goes wrong into one line. */

import { Command, CommanderError } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { benchCommand } from './commands/bench.ts';
import { exportCommand, importCommand } from './commands/carry.ts';
import { compareCommand } from './commands/compare.ts';
import { diffCommand } from './commands/diff.ts';
import { doctorCommand } from './commands/doctor.ts';
import { gcCommand } from './commands/gc.ts';
import { inspectCommand } from './commands/inspect.ts';
import { publishCommand } from './commands/publish.ts';
import { rebuildCommand } from './commands/rebuild.ts';
import { releaseCommand } from './commands/release.ts';
import { renderCommand } from './commands/render.ts';
import { searchCommand } from './commands/search.ts';
import { statusCommand } from './commands/status.ts';
import type { ExitCode, Terminal } from './commands/terminal.ts';
import { verifyCommand } from './commands/verify.ts';
import { PhospheneError } from './error.ts';
import { openLog } from './log.ts';
import { oneLine } from './words.ts';

const stop = new AbortController();
const log = openLog(process.stderr);
const terminal: Terminal = {
  print: (text) => void process.stdout.write(text),
  emit: (event) => log.emit(event),
  settle: () => log.close(),
  ...(process.stdin.isTTY && process.stdout.isTTY ? { ask } : {}),
  signal: stop.signal,
  exitCode: 0,
};

/** npm passes a Ctrl-C on that the terminal has sent already: two within this time are one. */
const sameKeyMs = 500;
let askedMs = 0;

/** The first Ctrl-C asks to stop, the second does not ask. */
function interrupt(): void {
  if (!stop.signal.aborted) {
    askedMs = performance.now();
    log.emit({ kind: 'stopping' });
    stop.abort();
  } else if (performance.now() - askedMs > sameKeyMs) {
    log.close();
    process.exit(130);
  }
}
process.on('SIGINT', interrupt);
process.on('SIGTERM', interrupt);
// Whoever reads our output may stop reading, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

async function ask(question: string): Promise<boolean> {
  const { createInterface } = await import('node:readline/promises');
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  // On a terminal in use by readline Ctrl-C is a key, not a signal.
  lines.on('SIGINT', interrupt);
  try {
    const answer = await lines.question(`${question} [y/N] `, { signal: stop.signal }).catch(() => '');
    stop.signal.throwIfAborted();
    return /^\s*y(es)?\s*$/i.test(answer);
  } finally {
    lines.close();
  }
}

const program = new Command('phosphene')
  .description('See what a convolutional network sees: render its units, publish them as a gallery.')
  .version(manifest.version)
  .addCommand(renderCommand(terminal))
  .addCommand(statusCommand(terminal))
  .addCommand(publishCommand(terminal))
  .addCommand(rebuildCommand(terminal))
  .addCommand(releaseCommand(terminal))
  .addCommand(diffCommand(terminal))
  .addCommand(inspectCommand(terminal))
  .addCommand(compareCommand(terminal))
  .addCommand(searchCommand(terminal))
  .addCommand(verifyCommand(terminal))
  .addCommand(gcCommand(terminal))
  .addCommand(exportCommand(terminal))
  .addCommand(importCommand(terminal))
  .addCommand(doctorCommand(terminal))
  .addCommand(benchCommand(terminal))
  .addHelpText(
    'after',
    `
Examples:
  phosphene rebuild                        render what changed, publish, build: what \`npm run gallery\` does
  phosphene inspect model.keras            what is in a model file
  phosphene render --help                  all that a command takes

Exit codes: 0 done, 1 failed, 2 the command line or a content file is wrong, 130 interrupted.`,
  );
for (const command of [program, ...program.commands])
  command.exitOverride().configureOutput({ writeErr: () => {} });

try {
  if (process.argv.length <= 2) program.outputHelp();
  else await program.parseAsync();
} catch (error) {
  log.close();
  terminal.exitCode = told(error);
}
log.close();
process.exitCode = terminal.exitCode;

/** Tells an error in one line on stderr; with `--verbose` all that is known of it. Returns the exit code. */
function told(error: unknown): ExitCode {
  if (error instanceof CommanderError) {
    // Help and version are told as errors too.
    if (error.exitCode === 0) return 0;
    say(error.message.replace(/^error: /, '').replace(' is invalid. ', ' is wrong: '));
    return 2;
  }
  const verbose = process.argv.includes('--verbose');
  if (stop.signal.aborted && error === stop.signal.reason) {
    say('Interrupted; what was finished is kept, the same command goes on from there');
    return 130;
  }
  if (error instanceof PhospheneError) {
    say(error.message);
    if (verbose) process.stderr.write(`${chain(error)}\n`);
    return error.exitCode;
  }
  const message = error instanceof Error ? error.message : String(error);
  say(
    `This should not happen: ${message}${verbose ? '' : '; --verbose shows where it arose, please report it'}`,
  );
  if (verbose) process.stderr.write(`${chain(error)}\n`);
  return 1;
}

function say(message: string): void {
  process.stderr.write(`phosphene: ${oneLine(message).replace(/\.$/, '')}\n`);
}

/** The stacks of an error and of what caused it. */
function chain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.stack ?? error.message;
  return error.cause === undefined ? own : `${own}\ncaused by ${chain(error.cause)}`;
}
