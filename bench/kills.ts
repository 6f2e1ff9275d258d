/**
 * What is left when commands are killed (SIGKILL) at random moments: `node bench/kills.ts [kills a command]`. After each
 * kill everything that is there is whole; in the end the same commands finish, with the bytes of an undisturbed run. One
 * line of JSON a command. Renders MNIST with few steps below the system's folder for temporary files.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { galleryIndex, galleryLayer } from '../content/schema.ts';
import { DiskStore } from '../pipeline/store/disk.ts';

/** Of the two recipes. */
const [steps, otherSteps] = [24, 12];
const kills = Number(process.argv[2] ?? 40);
const project = resolve(import.meta.dirname, '..');
const folder = await mkdtemp(join(tmpdir(), 'phosphene-kills-'));

function start(args: readonly string[]) {
  const cli = join(project, 'pipeline/cli.ts');
  const child = spawn(process.execPath, [cli, ...args], { cwd: folder, stdio: 'ignore' });
  return { child, ended: once(child, 'close') };
}

async function finish(...args: string[]): Promise<number> {
  const startedAt = performance.now();
  const { child, ended } = start(args);
  await ended;
  if (child.exitCode !== 0) throw new Error(`phosphene ${args.join(' ')} ended with ${child.exitCode}`);
  return performance.now() - startedAt;
}

function check(isRight: boolean, what: string): void {
  if (!isRight) throw new Error(what);
}

function writeContent(where: string, steps: number): void {
  mkdirSync(join(folder, where, 'models'), { recursive: true });
  const content = {
    title: 'MNIST',
    weights: join(project, 'content/weights/mnist.keras'),
    layers: ['conv2d_1', 'dense_3'],
    recipe: { preset: 'mnist-filters', steps },
  };
  writeFileSync(join(folder, where, 'models/mnist.json'), JSON.stringify(content));
}

/** Every file below a folder, as text; what changes from run to run left out. */
async function filesOf(where: string, forget: (text: string) => string = (text) => text) {
  const entries = await readdir(join(folder, where), { recursive: true, withFileTypes: true }).catch(
    () => [],
  );
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const read = paths
    // What a killed process leaves beside the renderings is swept by the next one that has work.
    .filter((path) => !path.includes('.tmp-') && !path.includes('/.claims/'))
    .sort()
    .map(async (path): Promise<[string, string]> => {
      const text = (await readFile(path)).toString('latin1');
      return [path.slice(join(folder, where).length), path.endsWith('.json') ? forget(text) : text];
    });
  return new Map(await Promise.all(read));
}

const withoutTimes = (text: string): string =>
  text
    .replaceAll(/"(seconds|renderedAt|releasedAt)": ?("[^"]*"|[\d.e-]+)/g, '"$1":0')
    .replace(/,"sha256":"[0-9a-f]{64}"\}\n$/, '}\n');

function checkSame(found: ReadonlyMap<string, string>, expected: ReadonlyMap<string, string>, what: string) {
  for (const [path, text] of expected) check(found.get(path) === text, `${what}: ${path} is not as it was`);
  check(found.size === expected.size, `${what}: ${found.size} files in place of ${expected.size}`);
}

/** All renderings that are there, whole, and when each was made. */
async function wholeStore(where: string): Promise<Map<string, string>> {
  const store = new DiskStore(join(folder, where));
  const made = new Map<string, string>();
  for await (const fingerprint of store.list()) {
    const files = await store.filesOf(fingerprint);
    check(files !== undefined && !('problem' in files), `${fingerprint} is damaged`);
    if (files !== undefined && !('problem' in files)) made.set(fingerprint, files.metadata.renderedAt);
  }
  return made;
}

/** All that the index tells of is there, and of one gallery. Returns its fingerprints. */
async function wholeGallery(content: string, publicDir: string): Promise<string[]> {
  const text = await readFile(join(folder, content, 'gallery/index.json'), 'utf8').catch(() => undefined);
  if (text === undefined) return [];
  const { models } = galleryIndex.parse(JSON.parse(text));
  const shown: string[] = [];
  for (const { file = '' } of models.flatMap(({ layers }) => layers)) {
    const layer = galleryLayer.parse(
      JSON.parse(await readFile(join(folder, content, 'gallery', file), 'utf8')),
    );
    const pictures = layer.units.flatMap(({ image, strip }) => [image.file, strip.file]);
    for (const picture of [...pictures, ...(layer.wall?.files ?? [])]) {
      const bytes = await readFile(join(folder, publicDir, 'gallery', picture));
      check(bytes.readUInt32LE(4) + 8 === bytes.length, `${picture} is cut`);
    }
    shown.push(...layer.units.map(({ fingerprint }) => fingerprint));
  }
  return shown;
}

interface Trial {
  readonly name: string;
  /** Brings all back to where the command begins. */
  prepare(): Promise<void>;
  command(round: number): readonly string[];
  /** After each kill. */
  look(): Promise<void>;
  /** After the command was let finish. */
  compare(): Promise<void>;
}

async function run({ name, prepare, command, look, compare }: Trial): Promise<void> {
  const startedAt = performance.now();
  await prepare();
  const usualMs = await finish(...command(0));
  await prepare();
  let [killed, tooLate] = [0, 0];
  for (let round = 0; killed < kills; round++) {
    const { child, ended } = start(command(round));
    const patience = new AbortController();
    await Promise.race([
      setTimeout(Math.random() * usualMs, undefined, { signal: patience.signal }).catch(() => undefined),
      ended,
    ]);
    patience.abort();
    child.kill('SIGKILL');
    await ended;
    if (child.signalCode === 'SIGKILL') killed++;
    else tooLate++;
    await look();
    // Once it is through there is nothing to interrupt: begin again.
    if (child.signalCode !== 'SIGKILL') {
      await compare();
      await prepare();
    }
  }
  await finish(...command(0));
  await compare();
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  const usualSeconds = Number((usualMs / 1000).toFixed(1));
  process.stdout.write(`${JSON.stringify({ command: name, killed, tooLate, usualSeconds, seconds })}\n`);
}

try {
  writeContent('content', steps);
  writeContent('other', otherSteps);
  await finish('render', '--store', 'good');
  await finish('render', '--store', 'good', '--content', 'other');
  const good = await filesOf('good');
  const mine = await wholeStoreOf('content');

  let before = new Map<string, string>();
  await run({
    name: 'render',
    prepare: async () => {
      await rm(join(folder, 'killed'), { recursive: true, force: true });
      before = new Map();
    },
    command: () => ['render', '--store', 'killed'],
    look: async () => {
      const now = await wholeStore('killed');
      for (const [fingerprint, when] of before) {
        check(now.get(fingerprint) === when, `${fingerprint} was lost or rendered twice`);
      }
      before = now;
    },
    compare: async () => {
      const found = await filesOf('killed', withoutTimes);
      const expected = new Map(
        [...(await filesOf('good', withoutTimes))].filter(([path]) => mine.has(path.slice(4, 68))),
      );
      checkSame(found, expected, 'render');
    },
  });

  const places = (content: string, at: string) => ['--store', 'good', '--content', content, '--public', at];
  await finish('publish', ...places('content', 'public-good'));
  await cp(join(folder, 'content/gallery'), join(folder, 'gallery-good'), { recursive: true });
  const [gallery, pictures] = [await filesOf('gallery-good'), await filesOf('public-good')];
  const lock = await readFile(join(folder, 'content/addresses.lock'), 'utf8');
  const turn = ['publish', ...places('turn', 'public')];
  // What is killed is, as often as not, the change from one gallery to another.
  await run({
    name: 'publish',
    prepare: async () => {
      await rm(join(folder, 'turn'), { recursive: true, force: true });
      await rm(join(folder, 'public'), { recursive: true, force: true });
    },
    command: (round) => {
      writeContent('turn', round % 2 === 1 ? otherSteps : steps);
      return turn;
    },
    look: async () => {
      const shown = await wholeGallery('turn', 'public');
      check(shown.length === 0 || shown.length === 42, `The gallery shows ${shown.length} units`);
      const ofMine = shown.filter((fingerprint) => mine.has(fingerprint)).length;
      check(ofMine === 0 || ofMine === 42, `The gallery is a mixture: ${ofMine} of 42 units`);
    },
    compare: async () => {
      writeContent('turn', steps);
      await finish(...turn);
      checkSame(await filesOf('turn/gallery'), gallery, 'publish');
      checkSame(await filesOf('public'), pictures, 'publish');
      check((await readFile(join(folder, 'turn/addresses.lock'), 'utf8')) === lock, 'publish: another lock');
    },
  });

  await run({
    name: 'gc',
    prepare: async () => {
      await rm(join(folder, 'killed'), { recursive: true, force: true });
      await cp(join(folder, 'good'), join(folder, 'killed'), { recursive: true });
    },
    command: () => ['gc', '--store', 'killed', '--content', 'content'],
    look: async () => {
      const there = await wholeStore('killed');
      for (const fingerprint of mine) check(there.has(fingerprint), `gc removed ${fingerprint}`);
    },
    compare: async () => {
      const expected = new Map([...good].filter(([path]) => mine.has(path.slice(4, 68))));
      checkSame(await filesOf('killed'), expected, 'gc');
    },
  });

  await finish('release', 'v0', '--store', 'good');
  const released = withoutTimes(await readFile(join(folder, 'content/releases/mnist@v0.json'), 'utf8'));
  const releasePath = join(folder, 'content/releases/mnist@v1.json');
  const readRelease = () => readFile(releasePath, 'utf8').catch(() => undefined);
  await run({
    name: 'release',
    prepare: () => rm(releasePath, { force: true }),
    command: () => ['release', 'v1', '--store', 'good'],
    look: async () => {
      const text = await readRelease();
      const isWhole = text === undefined || withoutTimes(text).replace('"v1"', '"v0"') === released;
      check(isWhole, 'The release is not whole');
    },
    compare: async () => check((await readRelease()) !== undefined, 'There is no release'),
  });

  await finish('export', 'all.tar', '--store', 'good');
  await run({
    name: 'import',
    prepare: () => rm(join(folder, 'killed'), { recursive: true, force: true }),
    command: () => ['import', 'all.tar', '--store', 'killed'],
    look: async () => void (await wholeStore('killed')),
    compare: async () => checkSame(await filesOf('killed'), good, 'import'),
  });
} finally {
  await rm(folder, { recursive: true });
}

/** The fingerprints that a content folder asks for. */
async function wholeStoreOf(content: string): Promise<Set<string>> {
  const { planModel } = await import('../pipeline/plan.ts');
  const { readModels } = await import('../pipeline/content.ts');
  const [model] = await readModels(join(folder, content));
  if (typeof model?.weights !== 'string') throw new Error('Expected a model with its weights');
  const { layers } = await planModel({ ...model, weightsFile: model.weights });
  return new Set(layers.flatMap(({ units }) => units.map(({ fingerprint }) => fingerprint)));
}
