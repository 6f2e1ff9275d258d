/** Events as text for the person at the terminal: a progress bar where there is one, plain lines elsewhere. */

import { MultiBar, type SingleBar } from 'cli-progress';
import type { Event } from './events.ts';
import { Pace } from './pace.ts';
import { counted, duration, oneLine, perSecond } from './words.ts';

export interface Log {
  emit(event: Event): void;
  /** Takes the progress bar away. */
  close(): void;
}

/** The part of stderr that the log needs. */
export type LogStream = NodeJS.WritableStream & { readonly isTTY?: boolean };

/** Without a bar, progress is told at most this often. */
const plainLineMs = 5_000;

/** @param now Milliseconds that only grow. */
export function openLog(stream: LogStream, now: () => number = () => performance.now()): Log {
  const progress = stream.isTTY === true ? new BarProgress(stream, now) : new LineProgress(stream, now);
  return {
    emit(event) {
      switch (event.kind) {
        case 'planned':
          if (event.fresh > 0 && event.fresh < event.total) {
            progress.say(`${counted(event.fresh, 'unit')} of ${event.total} in the store already`);
          }
          progress.begin(event.total - event.fresh);
          return;
        case 'publishing':
          progress.begin(event.units);
          return;
        case 'layer':
          progress.at(`${event.model} ${event.layer}`);
          return;
        case 'rendered':
          progress.step();
          return;
        case 'published':
          progress.at(`${event.model} ${event.layer}`);
          progress.step();
          return;
        case 'failed':
          progress.say(`${nameOf(event)} failed: ${event.error}`);
          progress.step();
          return;
        case 'unpublished':
          if (event.reason === 'damaged') {
            progress.say(`${nameOf(event)}: its rendering was damaged and is removed; render it again`);
          }
          progress.step();
          return;
        case 'stopping':
          progress.say('Stopping; what is in the store stays. Press Ctrl-C again to stop at once');
          return;
        default:
          event satisfies never;
      }
    },
    close() {
      progress.end();
    },
  };
}

function nameOf({ model, layer, unit }: { model: string; layer: string; unit: number }): string {
  return `${model} ${layer} unit ${unit}`;
}

interface Progress {
  begin(total: number): void;
  /** What is being worked on. */
  at(place: string): void;
  step(): void;
  say(text: string): void;
  end(): void;
}

class BarProgress implements Progress {
  readonly #stream: LogStream;
  readonly #now: () => number;
  #bars: MultiBar | undefined;
  #bar: SingleBar | undefined;
  #pace: Pace | undefined;
  #done = 0;
  #place = '';
  #tick: NodeJS.Timeout | undefined;

  constructor(stream: LogStream, now: () => number) {
    this.#stream = stream;
    this.#now = now;
  }

  begin(total: number): void {
    this.end();
    if (total === 0) return;
    this.#done = 0;
    this.#pace = new Pace(total, this.#now());
    this.#bars = new MultiBar({
      stream: this.#stream,
      format: '{bar} {value}/{total} units · {rate} · {left}{place}',
      barCompleteChar: '━',
      barIncompleteChar: '─',
      barsize: 28,
      hideCursor: true,
      clearOnComplete: true,
      // Ctrl-C is the command line's.
      gracefulExit: false,
      emptyOnZero: true,
    });
    this.#bar = this.#bars.create(total, 0, this.#payload());
    this.#tick = setInterval(() => this.#show(), 500);
    this.#tick.unref();
  }

  at(place: string): void {
    this.#place = oneLine(place);
    this.#show();
  }

  step(): void {
    this.#pace?.mark(++this.#done, this.#now());
    this.#show();
  }

  say(text: string): void {
    const line = `${oneLine(text)}\n`;
    if (this.#bars === undefined) this.#stream.write(line);
    else this.#bars.log(line);
  }

  end(): void {
    clearInterval(this.#tick);
    this.#bars?.update();
    this.#bars?.stop();
    this.#bars = undefined;
    this.#bar = undefined;
  }

  #show(): void {
    this.#bar?.update(this.#done, this.#payload());
  }

  #payload(): Record<string, string> {
    const now = this.#now();
    const left = this.#pace?.secondsLeft(now);
    return {
      rate: perSecond(this.#pace?.rate(now) ?? 0),
      left: left === undefined ? 'time left unknown' : `${duration(left)} left`,
      place: this.#place === '' ? '' : ` · ${this.#place}`,
    };
  }
}

class LineProgress implements Progress {
  readonly #stream: LogStream;
  readonly #now: () => number;
  #pace: Pace | undefined;
  #total = 0;
  #done = 0;
  #toldMs = 0;
  #place = '';

  constructor(stream: LogStream, now: () => number) {
    this.#stream = stream;
    this.#now = now;
  }

  begin(total: number): void {
    this.#total = total;
    this.#done = 0;
    this.#toldMs = this.#now();
    this.#pace = new Pace(total, this.#toldMs);
  }

  at(place: string): void {
    this.#place = oneLine(place);
  }

  step(): void {
    const now = this.#now();
    this.#pace?.mark(++this.#done, now);
    if (now - this.#toldMs < plainLineMs) return;
    this.#toldMs = now;
    const left = this.#pace?.secondsLeft(now);
    const rate = perSecond(this.#pace?.rate(now) ?? 0);
    const rest = left === undefined ? '' : `, ${duration(left)} left`;
    const place = this.#place === '' ? '' : ` (${this.#place})`;
    this.say(`${this.#done} of ${counted(this.#total, 'unit')}, ${rate}${rest}${place}`);
  }

  say(text: string): void {
    this.#stream.write(`${oneLine(text)}\n`);
  }

  end(): void {
    this.#total = 0;
  }
}
