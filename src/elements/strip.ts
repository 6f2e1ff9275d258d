/** A strip laid over its picture, showing one frame at a time. It is loaded when it is first wanted. */

export interface Strip {
  readonly frames: number;
  /** Shows frame `index`, 0 … frames − 1. */
  readonly show: (index: number) => void;
  readonly remove: () => void;
}

/** The address of a picture's strip. */
export const stripAddress = (picture: string): string => picture.replace(/\.webp$/, '.strip.webp');

/** Lays the strip over the picture. Undefined where it cannot be had: the picture then stays as it is. */
export async function layStrip(picture: HTMLImageElement): Promise<Strip | undefined> {
  const image = new Image();
  image.src = stripAddress(picture.src);
  image.alt = '';
  try {
    await image.decode();
  } catch {
    return undefined;
  }
  const frames = Math.round((image.naturalWidth * picture.height) / (image.naturalHeight * picture.width));
  const window = document.createElement('span');
  window.className = 'lit';
  window.append(image);
  picture.after(window);
  return {
    frames,
    show: (index) => image.style.setProperty('transform', `translateX(${(-100 * index) / frames}%)`),
    remove: () => window.remove(),
  };
}

export const motionWanted = (): boolean => !matchMedia('(prefers-reduced-motion: reduce)').matches;

const playing = new WeakSet<HTMLImageElement>();
const frameMs = 110;

/** Plays the strip over the picture once, first frame to last, and takes it away. Does nothing while it plays. */
export async function playOnce(picture: HTMLImageElement): Promise<void> {
  if (playing.has(picture)) return;
  playing.add(picture);
  const strip = await layStrip(picture);
  for (let index = 0; index < (strip?.frames ?? 0); index++) {
    strip?.show(index);
    await new Promise((resolve) => setTimeout(resolve, frameMs));
  }
  strip?.remove();
  playing.delete(picture);
}
