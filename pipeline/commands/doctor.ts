/** `phosphene doctor`: what works on this machine, and what to do about what does not. */

import { Command } from 'commander';
import type { Diagnosis } from '../probe/diagnose.ts';
import { oneLine, table } from '../words.ts';
import { printJson, type ReportOptions, type Terminal, withReporting } from './terminal.ts';

export function doctorCommand(terminal: Terminal): Command {
  const command = new Command('doctor')
    .summary('what works on this machine, and what to do about what does not')
    .description(
      'Try every engine in a process of its own, tell how fast it is and why another does not work, and what else there\nis: versions, memory, a browser for tests. What --engine auto takes is found anew and remembered.',
    )
    .addHelpText('after', '\nExample:\n  phosphene doctor --json')
    .action((options: ReportOptions) => doctor(options, terminal));
  return withReporting(command);
}

async function doctor(options: ReportOptions, terminal: Terminal): Promise<void> {
  const { diagnose } = await import('../probe/diagnose.ts');
  const diagnosis = await diagnose(terminal.emit);
  terminal.settle();
  if (options.json) printJson(terminal, diagnosis);
  else terminal.print(page(diagnosis));
}

function page({ versions, machine, engines, auto, advice }: Diagnosis): string {
  const gigabytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GB`;
  const { phosphene, node, onnxruntime, tfjs } = versions;
  const packages = [`onnxruntime ${onnxruntime}`, ...tfjs.map(({ name, version }) => `${name} ${version}`)];
  const rows = engines.map((each) =>
    each.works
      ? [each.engine, 'works', Number(each.msPerPictureStep.toPrecision(3)), oneLine(each.device)]
      : [each.engine, 'does not work', '', ''],
  );
  return [
    `phosphene ${phosphene}, Node ${node}, ${packages.join(', ')}`,
    `${machine.cores} × ${oneLine(machine.processor)}, ${gigabytes(machine.memoryBytes)} of memory, ${gigabytes(machine.freeBytes)} free; ${machine.platform} on ${machine.architecture}`,
    '',
    table([['engine', '', 'ms a picture-step', 'device'], ...rows]),
    '',
    `--engine auto takes ${auto}.`,
    ...advice.map(({ about, sentence }) => `${about}: ${oneLine(sentence)}.`),
    '',
  ].join('\n');
}
