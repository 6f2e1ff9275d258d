/** `phosphene bench`: how fast this machine renders, layer by layer of VGG16, and beside PyTorch. */

import { availableParallelism, cpus } from 'node:os';
import { Command } from 'commander';
import type { LayerSpeed } from '../bench/bench.ts';
import { PhospheneError } from '../error.ts';
import { suggestion } from '../nearest.ts';
import { matches } from '../pattern.ts';
import type { EngineChoice } from '../probe/auto.ts';
import { byteCount, table } from '../words.ts';
import { printJson, type ReportOptions, type Terminal, withReporting } from './terminal.ts';
import { engineName, names, wholeNumber } from './values.ts';

interface Options extends ReportOptions {
  readonly layers?: string[];
  readonly engine: EngineChoice;
  readonly size: number;
  readonly batch?: number;
  /** True without a value: the `python3` of the path. */
  readonly peers?: string | true;
}

export function benchCommand(terminal: Terminal): Command {
  const command = new Command('bench')
    .summary('measure how fast this machine renders')
    .description(
      "Measure a step of the default recipe at each convolution of VGG16, with random weights, beside the best that single\nconvolutions reach on this machine. With --peers also the Keras blog's plain step, by turns with the same in PyTorch.",
    )
    .option('--layers <names>', 'convolutions by name or pattern, e.g. block3*', names)
    .option('--engine <name>', 'what computes: auto, cpu, webgpu, cuda or tfjs', engineName, 'auto')
    .option('--size <px>', 'side of the pictures', wholeNumber(16, 4096), 128)
    .option(
      '--batch <n>',
      'pictures worked on at once; chosen by size and layer by default',
      wholeNumber(1, 4096),
    )
    .option('--peers [python]', 'compare with PyTorch in this Python; python3 by default')
    .addHelpText(
      'after',
      '\nExamples:\n  phosphene bench --layers block4_conv3,block5_conv3\n  phosphene bench --peers .venv/bin/python --json',
    )
    .action((options: Options) => bench(options, terminal));
  return withReporting(command);
}

async function bench(options: Options, terminal: Terminal): Promise<void> {
  const { benchLayers } = await import('../bench/bench.ts');
  const { bestOf, peakRssBytes } = await import('../bench/machine.ts');
  const { convolutions } = await import('../bench/vgg16.ts');
  const { chosenEngine } = await import('../probe/auto.ts');
  const known = convolutions.map(({ name }) => name);
  const wanted = options.layers ?? ['*'];
  for (const pattern of wanted) {
    if (known.some((name) => matches(pattern, name))) continue;
    throw new PhospheneError(`VGG16 has no convolution '${pattern}'${suggestion(pattern, known)}`, {
      exitCode: 2,
    });
  }
  const layers = known.filter((name) => wanted.some((pattern) => matches(pattern, name)));
  const engine = await chosenEngine(options.engine, terminal.emit);
  const python = options.peers === true ? 'python3' : options.peers;
  const best = await bestOf(engine);
  const found: LayerSpeed[] = [];
  const started = benchLayers(layers, { ...options, sizePx: options.size, python }, engine);
  for await (const layer of started) {
    terminal.signal.throwIfAborted();
    found.push(layer);
    terminal.emit({ kind: 'measured', layer: layer.layer, msPerPictureStep: layer.msPerPictureStep });
  }
  const machine = {
    cpu: cpus()[0]?.model.trim() ?? 'unknown processor',
    cores: availableParallelism(),
    ...(engine.name === 'webgpu' || engine.name === 'cuda' ? { gpu: engine.device } : {}),
  };
  const report = { machine, best, layers: found, peakRssBytes: peakRssBytes() };
  if (options.json) printJson(terminal, report);
  else terminal.print(inWords(report));
}

interface Report {
  readonly machine: { readonly cpu: string; readonly cores: number; readonly gpu?: string };
  readonly best: { readonly convGflops: number; readonly matmulGflops: number };
  readonly layers: readonly LayerSpeed[];
  readonly peakRssBytes: number;
}

function inWords({ machine, best, layers, peakRssBytes }: Report): string {
  const peer = layers[0]?.peer;
  const head = ['layer', 'px', 'batch', 'ms', 'GFLOP/s', 'of best', 'recipe', 'host'];
  const rows = layers.map((layer) => {
    const own = [
      layer.layer,
      layer.sizePx,
      layer.batch,
      digits(layer.msPerPictureStep),
      digits(layer.gflops),
      percent(layer.gflops / best.convGflops),
      percent(layer.recipeShare),
      percent(layer.hostShare),
    ];
    if (layer.peer === undefined) return own;
    const { msPerPictureStep, ratio, difference } = layer.peer;
    return [
      ...own,
      digits(layer.plainMsPerPictureStep),
      digits(msPerPictureStep),
      ratio.toFixed(2),
      difference.toExponential(0),
    ];
  });
  return [
    `${machine.gpu ?? machine.cpu}, ${machine.cores} cores; best convolution ${digits(best.convGflops)} GFLOP/s, best matrix product ${digits(best.matmulGflops)}`,
    '',
    table([peer === undefined ? head : [...head, 'plain ms', `${peer.name} ms`, 'ratio', 'apart'], ...rows]),
    '',
    `A step of one picture; at most ${byteCount(peakRssBytes)} of memory.`,
    '',
  ].join('\n');
}

const digits = (value: number): number => Number(value.toPrecision(3));
const percent = (share: number): string => `${Math.round(100 * share)} %`;
