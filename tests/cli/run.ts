/** The command line as its users run it: a process of its own, judged by what it prints and how it ends. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export const project = join(import.meta.dirname, '../..');

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** Starts `phosphene` with these arguments in `cwd`; `wrapper` is a program that starts it, with its arguments. */
export function start(args: readonly string[], cwd: string, wrapper: readonly string[] = []): Running {
  const [program = '', ...rest] = [...wrapper, process.execPath, join(project, 'pipeline/cli.ts'), ...args];
  const child = spawn(program, rest, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data: Buffer) => {
    stdout += data.toString();
  });
  child.stderr.on('data', (data: Buffer) => {
    stderr += data.toString();
  });
  const ended = once(child, 'close').then(() => ({ code: child.exitCode, stdout, stderr }));
  return { child, ended };
}

/** Runs `phosphene` to its end. */
export function run(args: readonly string[], cwd: string, wrapper?: readonly string[]): Promise<Ended> {
  return start(args, cwd, wrapper).ended;
}

/** The MNIST model with few steps, as content of its own below `folder`: the folder to give as --content. */
export async function quickContent(folder: string, changes: object = {}): Promise<string> {
  const content = {
    title: 'MNIST',
    weights: join(project, 'content/weights/mnist.keras'),
    layers: ['conv2d_1', 'dense_3'],
    recipe: { preset: 'mnist-filters', steps: 3 },
    classes: ['zero', 'one'],
    ...changes,
  };
  await mkdir(join(folder, 'content/models'), { recursive: true });
  await writeFile(join(folder, 'content/models/mnist.json'), JSON.stringify(content));
  return join(folder, 'content');
}
