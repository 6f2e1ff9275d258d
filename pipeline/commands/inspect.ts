/** `phosphene inspect`: what is in a model file, and what `render` would do with it. */

import { Command } from 'commander';
import type { Inspection } from '../network/inspect.ts';
import { counted, oneLine, table } from '../words.ts';
import { printJson, type ReportOptions, type Terminal, withReporting } from './terminal.ts';
import { lambdaExpression } from './values.ts';

interface Options extends ReportOptions {
  readonly content: string;
  readonly lambda?: Record<string, string>;
}

export function inspectCommand(terminal: Terminal): Command {
  const command = new Command('inspect')
    .summary('show what is in a model file')
    .description(
      'Show what is in a model file: its input, its layers, which of them can be rendered, and what phosphene render would do.',
    )
    .argument('<file>', 'a model file; what it is is told by its content, not by its name')
    .option('--content <dir>', 'the folder that holds models/', 'content')
    .option(
      '--lambda <name=expression>',
      "what a Lambda layer computes, e.g. 'lambda_1=x / 127.5 - 1'; once for each",
      lambdaExpression,
    )
    .addHelpText('after', '\nExample:\n  phosphene inspect content/weights/mnist.keras')
    .action((file: string, options: Options) => inspectFile(file, options, terminal));
  return withReporting(command);
}

async function inspectFile(file: string, options: Options, terminal: Terminal): Promise<void> {
  const { modelOfFile, shownPath } = await import('../content.ts');
  const { assumeModel, tellAssumed } = await import('./model-files.ts');
  const { openModel } = await import('../plan.ts');
  const { openEngine } = await import('../engine/choose.ts');
  const { inspect } = await import('../network/inspect.ts');

  const described = await modelOfFile(options.content, file);
  const assumed =
    described === undefined ? await assumeModel(file, options.content, options.lambda) : undefined;
  const model = described ?? assumed?.model;
  const lambdas = { ...described?.content.lambdas, ...options.lambda };
  const { network } = assumed?.opened ?? (await openModel(file, lambdas));
  const inspection = await inspect(file, network, await openEngine('cpu'), model?.content.input.sizePx);
  const contentFile = model === undefined ? '' : shownPath(model.file);
  if (options.json) {
    const content = assumed === undefined ? {} : { content: assumed.content, reasons: assumed.reasons };
    const told = { slug: model?.slug, file: contentFile, assumed: assumed !== undefined, ...content };
    printJson(terminal, { ...inspection, model: told });
    return;
  }
  terminal.print(page(inspection));
  if (assumed !== undefined) tellAssumed(assumed, false, terminal);
  else terminal.print(`It is the model '${model?.slug}': phosphene render goes by ${contentFile}.\n`);
}

function page({ file, format, input, layers }: Inspection): string {
  const size =
    input.height === null || input.width === null ? 'any size' : `${input.width} × ${input.height} px`;
  const rows = layers.map((layer) => {
    const { name, kind, units, output, receptiveField, picture, renderable, reason } = layer;
    return [
      name,
      kind,
      units ?? '',
      output === null ? '' : output.map((side) => side ?? 'free').join(' × '),
      renderable ? (receptiveField === null ? 'all' : `${receptiveField} px`) : '',
      picture === null ? '' : `${picture[1]} × ${picture[0]}`,
      renderable ? 'yes' : `no: ${reason ?? 'unknown'}`,
    ];
  });
  return [
    `${oneLine(file)}: ${format}`,
    `Input ${oneLine(input.name)}: ${size}, ${counted(input.channels, 'channel')}, ${input.layout}`,
    '',
    table([['layer', 'kind', 'units', 'output', 'sees', 'picture', 'can be rendered'], ...rows]),
    '',
    '',
  ].join('\n');
}
