/** Every address of the site is made here: the base, then the segments, each encoded. Nothing else joins paths. */

export interface Addresses {
  readonly home: string;
  readonly search: string;
  /** With units as `model/layer/unit`, side by side. */
  readonly compare: (...units: readonly string[]) => string;
  readonly about: string;
  /** What changed between two states of a network; all of them without a name. */
  readonly changes: (name?: string) => string;
  /** A file at the top, such as `index.json`. */
  readonly top: (file: string) => string;
  /** All units of a layer, as JSON. */
  readonly layerRecord: (model: string, layer: string) => string;
  /** `/{model}/` */
  readonly model: (model: string) => string;
  /** `/{model}/{layer}/`, or a unit's place on that page. */
  readonly layer: (model: string, layer: string, unit?: number) => string;
  /** `/{model}/{layer}/{unit}/` */
  readonly unit: (model: string, layer: string, unit: number) => string;
  /** The same without the slash at its end: what all addresses of a unit begin with. */
  readonly place: (model: string, layer: string, unit: number) => string;
  /** The unit alone, for a frame. */
  readonly embed: (model: string, layer: string, unit: number) => string;
  /** All that is known of the unit, as JSON. */
  readonly record: (model: string, layer: string, unit: number) => string;
  readonly picture: (model: string, layer: string, unit: number) => string;
  readonly strip: (model: string, layer: string, unit: number) => string;
  /** A file that `publish` put below public/gallery. */
  readonly file: (path: string) => string;
}

/** The addresses below a base such as `/` or `/gallery`. */
export function addressesBelow(base: string): Addresses {
  const home = base.endsWith('/') ? base : `${base}/`;
  const join = (...segments: readonly (string | number)[]): string =>
    home + segments.map((segment) => encodeURIComponent(segment).replaceAll('%40', '@')).join('/');
  return {
    home,
    search: `${join('search')}/`,
    compare: (...units) =>
      `${join('compare')}/${units.length === 0 ? '' : `?${units.map((unit) => `u=${unit}`).join('&')}`}`,
    about: `${join('about')}/`,
    changes: (name) => `${name === undefined ? join('changes') : join('changes', name)}/`,
    top: (file) => join(file),
    layerRecord: (model, layer) => join(model, layer, 'index.json'),
    model: (model) => `${join(model)}/`,
    layer: (model, layer, unit) => `${join(model, layer)}/${unit === undefined ? '' : `#unit-${unit}`}`,
    unit: (model, layer, unit) => `${join(model, layer, unit)}/`,
    place: (model, layer, unit) => join(model, layer, unit),
    embed: (model, layer, unit) => `${join(model, layer, unit)}/embed/`,
    record: (model, layer, unit) => `${join(model, layer, unit)}.json`,
    picture: (model, layer, unit) => `${join(model, layer, unit)}.webp`,
    strip: (model, layer, unit) => `${join(model, layer, unit)}.strip.webp`,
    file: (path) => join(...path.split('/')),
  };
}

/**
 * The address of a unit's picture: beside its page; of a release, whose pictures are shared with others, where it lies.
 * @param file Below public/gallery.
 */
export function pictureAt(model: string, layer: string, unit: number, file: string): string {
  return model.includes('@') ? address.file(file) : address.picture(model, layer, unit);
}

/** The same for its strip. */
export function stripAt(model: string, layer: string, unit: number, file: string): string {
  return model.includes('@') ? address.file(file) : address.strip(model, layer, unit);
}

export const address = addressesBelow(import.meta.env.BASE_URL);

/** The whole address of a path where the site knows its host, else the path. */
export function absolute(path: string, site: URL | undefined): string {
  return site === undefined ? path : new URL(path, site).href;
}
