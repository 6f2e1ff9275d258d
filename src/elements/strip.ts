/** A strip laid over its picture, showing one frame at a time. It is loaded when it is first wanted. */

export interface Strip {
  readonly frames: number;
  /** Shows frame `index`, 0 … frames − 1. */
  readonly show: (index: number) => void;
  /** Shows all frames once, each for `frameMs`, without the script's help. */
  readonly play: (frameMs: number) => Promise<unknown>;
  readonly remove: () => void;
}

/**
 * Appends the strip at `address` to `host`, over what is there. `aspect`: width by height of one frame. Undefined where
 * the strip cannot be had: the picture then stays as it is.
 */
export async function layStrip(host: Element, address: string, aspect: number): Promise<Strip | undefined> {
  const image = new Image();
  image.src = address;
  image.alt = '';
  try {
    await image.decode();
  } catch {
    return undefined;
  }
  const frames = Math.max(1, Math.round(image.naturalWidth / image.naturalHeight / aspect));
  const window = document.createElement('span');
  window.className = 'lit';
  window.append(image);
  host.append(window);
  return {
    frames,
    show: (index) => image.style.setProperty('transform', `translateX(${(-100 * index) / frames}%)`),
    play: (frameMs) =>
      image.animate(
        { transform: ['translateX(0)', 'translateX(-100%)'] },
        { duration: frames * frameMs, easing: `steps(${frames})` },
      ).finished,
    remove: () => window.remove(),
  };
}

export const motionWanted = (): boolean => !matchMedia('(prefers-reduced-motion: reduce)').matches;

/** The picture of a tile: beside the page that it leads to, where it does not say another place. */
export const pictureOf = ({ dataset, href }: HTMLAnchorElement): string =>
  dataset['picture'] ?? href.replace(/\/$/, '.webp');

const playing = new WeakSet<Element>();
const frameMs = 110;

/** Plays the strip of a tile over its picture once, first frame to last, and takes it away. Does nothing while it plays. */
export async function playOnce(tile: HTMLAnchorElement, aspect = 1): Promise<void> {
  const host = tile.querySelector(':scope > span') ?? tile;
  if (playing.has(host)) return;
  playing.add(host);
  const strip = await layStrip(host, pictureOf(tile).replace(/\.webp$/, '.strip.webp'), aspect);
  await strip?.play(frameMs);
  strip?.remove();
  playing.delete(host);
}
