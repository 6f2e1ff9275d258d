/**
 * Who renders what, where several processes share a store: one file a unit that is being rendered, made by whoever
 * comes first, with the name of its owner. An owner that stops renewing its sign of life has none: whether it does is
 * told by watching it for a while, not by the time of day, which may jump.
 */

import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { codeOf, type Files, refusal } from '../files.ts';

export interface Claims {
  /** Whether the rendering is this process's to make: nobody else alive is making it. */
  take(fingerprint: string): Promise<boolean>;
  /** Gives it back, made or not. */
  release(fingerprint: string): Promise<void>;
  /** Ends the sign of life. */
  close(): Promise<void>;
}

const renewedEveryMs = 2_000;
/** An owner whose sign of life has not changed for so long has none; a computer may be very busy. */
const patienceMs = 30_000;

interface Seen {
  readonly sign: string;
  readonly sinceMs: number;
}

export class DiskClaims implements Claims {
  readonly #folder: string;
  readonly #files: Files;
  readonly #owner = `${process.pid}@${hostname()}@${randomBytes(6).toString('hex')}`;
  readonly #seen = new Map<string, Seen>();
  #renewing: NodeJS.Timeout | undefined;
  #beats = 0;

  /** @param store The store's own folder, which can be written. */
  constructor(store: string, files: Files) {
    this.#folder = join(store, '.claims');
    this.#files = files;
  }

  async take(fingerprint: string): Promise<boolean> {
    try {
      await this.#live();
      const path = join(this.#folder, fingerprint);
      if (await this.#files.create(path, Buffer.from(this.#owner))) return true;
      const owner = (await this.#read(path)) ?? '';
      if (owner === this.#owner) return true;
      if (await this.#isAlive(owner)) return false;
      await this.#files.remove(path);
      return await this.#files.create(path, Buffer.from(this.#owner));
    } catch (error) {
      throw refusal(error, this.#folder);
    }
  }

  async release(fingerprint: string): Promise<void> {
    await this.#files.remove(join(this.#folder, fingerprint)).catch(() => undefined);
  }

  async close(): Promise<void> {
    clearInterval(this.#renewing);
    this.#renewing = undefined;
    await this.#files.remove(this.#signOf(this.#owner)).catch(() => undefined);
    await this.#files.removeEmpty(this.#folder).catch(() => undefined);
  }

  async #live(): Promise<void> {
    if (this.#renewing !== undefined) return;
    await this.#files.makeFolder(this.#folder);
    const renew = (): Promise<void> =>
      this.#files.write(this.#signOf(this.#owner), Buffer.from(String(++this.#beats)), false);
    await renew();
    // A sign that cannot be written is one that others do not see: they take over, and nothing is lost.
    this.#renewing = setInterval(() => void renew().catch(() => undefined), renewedEveryMs);
    this.#renewing.unref();
    await this.#sweep();
  }

  /** Removes what processes of this machine left that are gone. */
  async #sweep(): Promise<void> {
    for (const name of await this.#files.names(this.#folder)) {
      const path = join(this.#folder, name);
      const owner = name.startsWith('.') ? name.slice(1) : ((await this.#read(path)) ?? '');
      if (isGone(owner)) await this.#files.remove(path);
    }
  }

  /** Whether an owner's sign of life changes; at first sight it is believed, unless its process is known to be gone. */
  async #isAlive(owner: string): Promise<boolean> {
    if (isGone(owner)) return false;
    const sign = (await this.#read(this.#signOf(owner))) ?? '';
    const now = performance.now();
    const before = this.#seen.get(owner);
    if (before === undefined || before.sign !== sign) {
      this.#seen.set(owner, { sign, sinceMs: now });
      return true;
    }
    return now - before.sinceMs < patienceMs;
  }

  #signOf(owner: string): string {
    return join(this.#folder, `.${owner.replaceAll(/[^A-Za-z0-9@.-]/g, '_')}`);
  }

  async #read(path: string): Promise<string | undefined> {
    return this.#files.read(path).then(
      (bytes) => bytes.toString('utf8'),
      () => undefined,
    );
  }
}

/** Whether an owner is known to be a process of this machine that has ended. */
function isGone(owner: string): boolean {
  const [pid, host] = owner.split('@');
  return host === hostname() && !isRunning(Number(pid));
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // There is one, of another user.
    return codeOf(error) === 'EPERM';
  }
}
