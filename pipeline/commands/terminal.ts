/** What every command is given: where it reports to, and whether it was asked to stop. */

import type { Command } from 'commander';
import type { Event } from '../events.ts';

/** 0 done, 1 failed, 2 the command line or a content file is wrong, 130 interrupted. */
export type ExitCode = 0 | 1 | 2 | 130;

export interface Terminal {
  /** The command's result, on stdout. */
  print(text: string): void;
  /** What happens meanwhile, on stderr. */
  emit(event: Event): void;
  /** Ends the progress that `emit` shows. */
  settle(): void;
  /** Asks the person a question, who says yes or anything else; not there where nobody could answer. */
  ask?(question: string): Promise<boolean>;
  /** Aborted by the first Ctrl-C. */
  readonly signal: AbortSignal;
  /** What the process ends with. */
  exitCode: ExitCode;
}

/** Options that every command takes. */
export interface ReportOptions {
  readonly json?: boolean;
}

/** Adds the options that every command takes. `--verbose` is read where errors are told. */
export function withReporting(command: Command): Command {
  return command
    .option('--json', 'print one JSON document on stdout and nothing else')
    .option('--verbose', 'with an error, print where in the program it arose');
}

/** One JSON document on stdout. */
export function printJson(terminal: Terminal, value: unknown): void {
  terminal.print(`${JSON.stringify(value, null, 2)}\n`);
}
