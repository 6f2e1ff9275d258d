/** What every message that a person is meant to read obeys: one sentence, and the exit code that goes with it. */

/** Exit codes of the command line: 1 the work failed, 2 the command line or a content file is wrong. */
export type ExitCode = 1 | 2;

/** Names from files and words of libraries stand in messages: none may break the line, or speak to the terminal. */
const printable = (message: string): string =>
  message
    .slice(0, 4096)
    .replace(/\s+/g, ' ')
    .replace(/[\p{Cc}\p{Cf}]/gu, '')
    .trim();

/**
 * An error whose message is one sentence for the person at the terminal: what was expected, what was found, where,
 * and what to do. Anything else that is thrown is a defect of this project.
 */
export class PhospheneError extends Error {
  override readonly name = 'PhospheneError';
  readonly exitCode: ExitCode;

  constructor(message: string, options: { exitCode?: ExitCode; cause?: unknown } = {}) {
    super(printable(message), options.cause === undefined ? undefined : { cause: options.cause });
    this.exitCode = options.exitCode ?? 1;
  }
}
