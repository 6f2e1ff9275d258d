/** The options that all commands which render pictures take. */

import type { Command } from 'commander';
import type { PlanOptions } from '../plan.ts';
import type { EngineChoice } from '../probe/auto.ts';
import type { WorkLimits } from '../render.ts';
import { bytes, engineName, lambdaExpression, names, unitNumbers, wholeNumber } from './values.ts';

/** Which pictures are rendered, of what. */
export interface PictureOptions {
  readonly layers?: string[];
  readonly units?: number[];
  readonly size?: number;
  readonly steps?: number;
  readonly seed?: number;
  readonly content: string;
  readonly weights?: string;
  readonly lambda?: Record<string, string>;
}

/** How they are rendered, and where they are kept. */
export interface WorkOptions {
  readonly batch?: number;
  readonly maxMemory?: number;
  readonly engine: EngineChoice;
  readonly store: string;
}

export function withPictureOptions(command: Command): Command {
  return command
    .option('--layers <names>', 'layers by name or pattern, e.g. conv2d,dense*', names)
    .option('--units <numbers>', 'units from 0, e.g. 0-15,40', unitNumbers)
    .option('--size <px>', 'side of the pictures, where the network leaves it free', wholeNumber(1, 4096))
    .option('--steps <n>', 'updates of each picture', wholeNumber(0, 100_000))
    .option('--seed <n>', 'where random numbers start', wholeNumber(0, 2 ** 31 - 1))
    .option('--content <dir>', 'the folder that holds models/', 'content')
    .option(
      '--weights <file>',
      'a model file, in place of the one that content/models names; in place of one to download it is remembered',
    )
    .option(
      '--lambda <name=expression>',
      "what a Lambda layer of a model file computes, e.g. 'lambda_1=x / 127.5 - 1'; once for each",
      lambdaExpression,
    );
}

/** @param store Where renderings are kept by default. */
export function withWorkOptions(command: Command, store = '.cache/store'): Command {
  return command
    .option('--batch <n>', 'pictures worked on at once; changes speed and memory only', wholeNumber(1, 4096))
    .option('--max-memory <size>', 'memory that may be taken, e.g. 800MB or 4GB; 1.2GB by default', bytes)
    .option('--engine <name>', 'what computes: auto, cpu, webgpu, cuda or tfjs', engineName, 'auto')
    .option('--store <dir>', 'where renderings are kept', store);
}

/** What the options change of what content files say. */
export function changesOf({ layers, units, steps, size, seed }: PictureOptions): PlanOptions {
  return {
    ...(layers === undefined ? {} : { layers }),
    ...(units === undefined ? {} : { units }),
    ...(steps === undefined ? {} : { steps }),
    ...(size === undefined ? {} : { sizePx: size }),
    ...(seed === undefined ? {} : { seed }),
  };
}

/** What the options say of how it is rendered. */
export function workOf({ batch, maxMemory }: WorkOptions): WorkLimits {
  return {
    ...(batch === undefined ? {} : { batch }),
    ...(maxMemory === undefined ? {} : { maxBytes: maxMemory }),
  };
}
