/** Events as text for the person at the terminal: a progress bar where there is one, plain lines elsewhere. */

import { MultiBar, type SingleBar } from 'cli-progress';
import type { Event } from './events.ts';
import type { Worked } from './labour.ts';
import { Pace } from './pace.ts';
import type { TrialEvent } from './search/search.ts';
import { byteCount, counted, duration, oneLine, perSecond } from './words.ts';

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
          progress.begin(event.total - event.fresh, units);
          return;
        case 'trying':
          progress.say(`Trying the engine ${event.engine}`);
          return;
        case 'recipe':
          progress.say(`${event.name}, recipe ${event.place} of ${event.of}`);
          return;
        case 'trial':
          progress.say(triedInWords(event));
          return;
        case 'publishing':
          progress.begin(event.units, units);
          return;
        case 'layer':
          progress.at(`${event.model} ${event.layer}`);
          return;
        case 'worked':
          progress.work(event);
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
        case 'waiting':
          progress.at(`${counted(event.units, 'unit')} being rendered by another process`);
          return;
        case 'renumbered':
          progress.say(
            `${event.model} ${event.layer}: ${counted(event.units, 'unit')} known again under other numbers by their weights; the pages say so`,
          );
          return;
        case 'left-out':
          progress.say(`Left out ${event.models.join(', ')}: ${event.reason}`);
          return;
        case 'described':
          progress.say(`${event.file} is the model '${event.model}' of ${event.by}`);
          return;
        case 'assumed':
          progress.say(`Assumed ${event.file}: ${JSON.stringify(event.content)}`);
          for (const { field, reason } of event.reasons) progress.say(`Assumed ${field}: ${reason}`);
          return;
        case 'given':
          progress.say(
            event.isThere
              ? `Weights of ${event.model}: ${event.file}, as given with --weights (noted in ${event.note})`
              : `Weights of ${event.model}: ${event.file} was given with --weights, but is not there any more; give another, or remove ${event.note}`,
          );
          return;
        case 'remembered':
          progress.say(`Weights of ${event.model}: ${event.file} from now on, for phosphene publish too`);
          return;
        case 'apart':
          progress.say(
            `phosphene publish shows ${event.models.join(', ')} as content/models says, not with ${event.options.join(' and ')}: write there what shall be published`,
          );
          return;
        case 'written':
          progress.say(`Wrote ${event.file}; phosphene publish shows the model`);
          return;
        case 'download-started':
          progress.say(
            event.heldBytes === 0
              ? `Downloading ${event.file} (${byteCount(event.bytes)}) from ${event.host}`
              : `Downloading ${event.file} (${byteCount(event.bytes)}) from ${event.host}, ${byteCount(event.heldBytes)} are there already`,
          );
          progress.begin(event.bytes, bytes, event.heldBytes);
          return;
        case 'downloading':
          progress.reach(event.heldBytes);
          return;
        case 'download-interrupted':
          progress.say(`${event.reason}; another attempt in ${duration(event.waitMs / 1000)}`);
          return;
        case 'downloaded':
          progress.end();
          return;
        case 'measured':
          progress.say(`${event.layer}: ${event.msPerPictureStep.toPrecision(3)} ms a picture and step`);
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

function triedInWords({ trial, of, point, score }: TrialEvent): string {
  const what = trial === 0 ? 'The base' : `Trial ${trial}${of === undefined ? '' : ` of ${of}`}`;
  const values = Object.entries(point).map(([path, value]) => `${path} ${JSON.stringify(value)}`);
  if (score.score === null) return `${[what, ...values].join(', ')}: failed`;
  const times = trial === 0 ? [] : [`${score.score.toFixed(3)} times the base`];
  const shares = [`harsh ${share(score.harshShare)}`, `kept ${share(score.keptUnderShifts)}`];
  const limits = score.keepsLimits ? [] : ['limits broken'];
  return `${[what, ...values].join(', ')}: ${[...times, ...shares, ...limits].join(', ')}`;
}

const share = (value: number | null): string => (value === null ? 'unknown' : value.toFixed(3));

function nameOf({ model, layer, unit }: { model: string; layer: string; unit: number }): string {
  return `${model} ${layer} unit ${unit}`;
}

/** What progress is counted in. */
interface Measure {
  bar(done: number, total: number): string;
  line(done: number, total: number): string;
  rate(perSecond: number): string;
}

const units: Measure = {
  bar: (done, total) => `${done}/${total} units`,
  line: (done, total) => `${done} of ${counted(total, 'unit')}`,
  rate: perSecond,
};

const bytes: Measure = {
  bar: (done, total) => `${byteCount(done)} of ${byteCount(total)}`,
  line: (done, total) => `${byteCount(done)} of ${byteCount(total)}`,
  rate: (perSecond) => `${byteCount(Math.round(perSecond))}/s`,
};

interface Progress {
  /** @param done What was done before; the pace is that of the rest. */
  begin(total: number, measure: Measure, done?: number): void;
  /** What is being worked on. */
  at(place: string): void;
  /** One more is done. */
  step(): void;
  /** Where one takes longer than another: how much of the work is done, and how fast it goes from now on. */
  work(worked: Worked): void;
  /** So many are done in all; where they are fewer than when it began, it begins anew. */
  reach(done: number): void;
  say(text: string): void;
  end(): void;
}

/** The pace of what is counted, or of the work that it is, where that is told. */
class Speed {
  readonly #ofCount: Pace;
  #ofWork: Pace | undefined;
  #ofUnit = 1;

  constructor(total: number, nowMs: number, done: number) {
    this.#ofCount = new Pace(total, nowMs, done);
  }

  reach(done: number, nowMs: number): void {
    this.#ofCount.mark(done, nowMs);
  }

  work({ done, total, ofUnit }: Worked, nowMs: number): void {
    // The clock starts with the first step: what comes before, as compiling, says nothing of the others.
    this.#ofWork ??= new Pace(total, nowMs, done);
    this.#ofWork.mark(done, nowMs, total);
    this.#ofUnit = ofUnit;
  }

  rate(nowMs: number): number {
    return this.#ofWork === undefined ? this.#ofCount.rate(nowMs) : this.#ofWork.rate(nowMs) / this.#ofUnit;
  }

  secondsLeft(nowMs: number): number | undefined {
    return (this.#ofWork ?? this.#ofCount).secondsLeft(nowMs);
  }
}

class BarProgress implements Progress {
  readonly #stream: LogStream;
  readonly #now: () => number;
  #bars: MultiBar | undefined;
  #bar: SingleBar | undefined;
  #speed: Speed | undefined;
  #measure = units;
  #total = 0;
  #from = 0;
  #done = 0;
  #place = '';
  #tick: NodeJS.Timeout | undefined;

  constructor(stream: LogStream, now: () => number) {
    this.#stream = stream;
    this.#now = now;
  }

  begin(total: number, measure: Measure, done = 0): void {
    this.end();
    if (total === 0) return;
    this.#measure = measure;
    this.#total = total;
    this.#from = done;
    this.#done = done;
    this.#place = '';
    this.#speed = new Speed(total, this.#now(), done);
    this.#bars = new MultiBar({
      stream: this.#stream,
      format: '{bar} {amount} · {rate} · {left}{place}',
      barCompleteChar: '━',
      barIncompleteChar: '─',
      barsize: 28,
      hideCursor: true,
      clearOnComplete: true,
      // Ctrl-C is the command line's.
      gracefulExit: false,
      emptyOnZero: true,
    });
    this.#bar = this.#bars.create(total, done, this.#payload());
    this.#tick = setInterval(() => this.#show(), 500);
    this.#tick.unref();
  }

  at(place: string): void {
    this.#place = oneLine(place);
    this.#show();
  }

  step(): void {
    this.reach(this.#done + 1);
  }

  reach(done: number): void {
    if (done < this.#from) this.begin(this.#total, this.#measure, done);
    this.#done = done;
    this.#speed?.reach(done, this.#now());
    this.#show();
  }

  work(worked: Worked): void {
    this.#speed?.work(worked, this.#now());
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
    const left = this.#speed?.secondsLeft(now);
    return {
      amount: this.#measure.bar(this.#done, this.#total),
      rate: this.#measure.rate(this.#speed?.rate(now) ?? 0),
      left: left === undefined ? 'time left unknown' : `${duration(left)} left`,
      place: this.#place === '' ? '' : ` · ${this.#place}`,
    };
  }
}

class LineProgress implements Progress {
  readonly #stream: LogStream;
  readonly #now: () => number;
  #speed: Speed | undefined;
  #measure = units;
  #total = 0;
  #from = 0;
  #done = 0;
  #toldMs = 0;
  #place = '';

  constructor(stream: LogStream, now: () => number) {
    this.#stream = stream;
    this.#now = now;
  }

  begin(total: number, measure: Measure, done = 0): void {
    this.#measure = measure;
    this.#total = total;
    this.#from = done;
    this.#done = done;
    this.#place = '';
    this.#toldMs = this.#now();
    this.#speed = new Speed(total, this.#toldMs, done);
  }

  at(place: string): void {
    this.#place = oneLine(place);
  }

  step(): void {
    this.reach(this.#done + 1);
  }

  reach(done: number): void {
    if (done < this.#from) this.begin(this.#total, this.#measure, done);
    this.#done = done;
    this.#speed?.reach(done, this.#now());
    this.#tell();
  }

  work(worked: Worked): void {
    this.#speed?.work(worked, this.#now());
    this.#tell();
  }

  #tell(): void {
    const now = this.#now();
    if (now - this.#toldMs < plainLineMs) return;
    this.#toldMs = now;
    const left = this.#speed?.secondsLeft(now);
    const rate = this.#measure.rate(this.#speed?.rate(now) ?? 0);
    const rest = left === undefined ? '' : `, ${duration(left)} left`;
    const place = this.#place === '' ? '' : ` (${this.#place})`;
    this.say(`${this.#measure.line(this.#done, this.#total)}, ${rate}${rest}${place}`);
  }

  say(text: string): void {
    this.#stream.write(`${oneLine(text)}\n`);
  }

  end(): void {
    this.#total = 0;
  }
}
