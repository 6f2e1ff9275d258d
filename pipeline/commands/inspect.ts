/** `phosphene inspect`: what is in a model file. */

import { Command } from 'commander';
import type { Inspection } from '../network/inspect.ts';
import { counted, oneLine, table } from '../words.ts';
import { printJson, type ReportOptions, type Terminal, withReporting } from './terminal.ts';

export function inspectCommand(terminal: Terminal): Command {
  const command = new Command('inspect')
    .summary('show what is in a model file')
    .description('Show what is in a model file: its input, its layers, and which of them can be rendered.')
    .argument('<file>', 'a model file; what it is is told by its content, not by its name')
    .addHelpText('after', '\nExample:\n  phosphene inspect content/weights/mnist.keras')
    .action((file: string, options: ReportOptions) => inspectFile(file, options, terminal));
  return withReporting(command);
}

async function inspectFile(file: string, options: ReportOptions, terminal: Terminal): Promise<void> {
  const { readModelFile } = await import('../formats/read.ts');
  const { loadNetwork } = await import('../formats/index.ts');
  const { openEngine } = await import('../engine/choose.ts');
  const { inspect } = await import('../network/inspect.ts');
  const network = await loadNetwork(await readModelFile(file));
  const inspection = await inspect(file, network, await openEngine('cpu'));
  if (options.json) printJson(terminal, inspection);
  else terminal.print(page(inspection));
}

function page({ file, format, input, layers }: Inspection): string {
  const size =
    input.height === null || input.width === null ? 'any size' : `${input.width} × ${input.height} px`;
  const rows = layers.map(({ name, kind, units, output, receptiveField, renderable, reason }) => [
    name,
    kind,
    units ?? '',
    output === null ? '' : output.map((side) => side ?? 'free').join(' × '),
    renderable ? (receptiveField === null ? 'all' : `${receptiveField} px`) : '',
    renderable ? 'yes' : `no: ${reason ?? 'unknown'}`,
  ]);
  return [
    `${oneLine(file)}: ${format}`,
    `Input ${oneLine(input.name)}: ${size}, ${counted(input.channels, 'channel')}, ${input.layout}`,
    '',
    table([['layer', 'kind', 'units', 'output', 'sees', 'can be rendered'], ...rows]),
    '',
  ].join('\n');
}
