/** Which graphics cards this machine has, as far as it can be told without a driver. */

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { basename, join } from 'node:path';

/** The first of NVIDIA's cards, e.g. `NVIDIA H100 PCIe`; undefined where there is no card or no driver. */
export function nvidiaDevice(): string | undefined {
  try {
    const said = execFileSync('nvidia-smi', ['--query-gpu=name', '--format=csv,noheader'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 10_000,
    });
    return said.split('\n')[0]?.trim() || undefined;
  } catch {
    return undefined;
  }
}

const makers: Readonly<Record<string, string>> = { '0x1002': 'AMD', '0x8086': 'Intel', '0x10de': 'NVIDIA' };

/** The first card in words. */
export function graphicsDevice(): string {
  const driver = basename(vulkanDriver() ?? '');
  if (/swiftshader|lvp/.test(driver)) return `the processor as a graphics card, ${driver}`;
  if (process.platform === 'darwin') return cpus()[0]?.model ?? 'graphics card';
  const card = graphicsNodes().find((name) => name.startsWith('renderD'));
  if (card === undefined) return nvidiaDevice() ?? 'graphics card';
  const id = (of: string): string => readFileSync(join('/sys/class/drm', card, 'device', of), 'utf8').trim();
  try {
    const maker = makers[id('vendor')];
    return (maker === 'NVIDIA' ? nvidiaDevice() : undefined) ?? `${maker ?? id('vendor')} ${id('device')}`;
  } catch {
    return 'graphics card';
  }
}

/** Why there is none to speak to, and what to do about it; undefined where there may be one. */
export function graphicsMissing(): string | undefined {
  if (process.platform !== 'linux' || vulkanDriver() !== undefined || graphicsNodes().length > 0)
    return undefined;
  return 'Expected a graphics card, found none in /dev/dri and no driver in VK_ICD_FILENAMES; in a container hand the device on, e.g. by docker run --device /dev/dri or --gpus all';
}

/** The driver that the person has chosen. */
function vulkanDriver(): string | undefined {
  return process.env['VK_DRIVER_FILES'] ?? process.env['VK_ICD_FILENAMES'];
}

/** The devices of graphics cards on Linux: `renderD128`, `nvidia0`, and `dxg`, which is Windows' card in WSL. */
export function graphicsNodes(): string[] {
  const names = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder) : []);
  return [...names('/dev/dri'), ...names('/dev').filter((name) => /^(nvidia\d+|dxg)$/.test(name))].sort();
}
