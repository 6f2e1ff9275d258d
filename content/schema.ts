/**
 * All that lies in content/, as zod schemas: what people write (models) and what `publish` writes (gallery).
 * The only contract between pipeline and site; both import it, and nothing else of each other.
 */

import { z } from 'zod';

const json: z.ZodType<unknown> = z.json();

// ---------------------------------------------------------------- written by people: content/models/<model>.json

/** How a picture of 0..255 RGB becomes the numbers that the network takes. */
export const inputScaling = z
  .union([
    z.enum(['none', '0..1', '-1..1', 'caffe', 'torch']),
    z.strictObject({
      order: z.enum(['rgb', 'bgr']).default('rgb').describe('Order of the channels that the network takes.'),
      mean: z
        .union([z.number(), z.array(z.number()).min(1).max(4)])
        .default(0)
        .describe('Subtracted from 0..255, one number or one a channel, in the order of `order`.'),
      deviation: z
        .union([z.number(), z.array(z.number()).min(1).max(4)])
        .default(1)
        .describe('Divides after the mean is subtracted, one number or one a channel.'),
    }),
  ])
  .describe(
    'Input scaling: `none` (0..255), `0..1`, `-1..1`, `caffe` (BGR minus the ImageNet mean), `torch` (ImageNet mean and deviation), or numbers.',
  );
export type InputScaling = z.infer<typeof inputScaling>;

/** A recipe: a preset's name, or an object that may start from one (`preset`). Checked in full by the pipeline. */
export const recipeReference = z.union([z.string(), z.record(z.string(), json)]);

/** A file that is kept in .cache/weights, and fetched where it can be. */
const keptFile = z.strictObject({
  file: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/)
    .describe('Name of the file in .cache/weights: letters, digits, `.`, `_` and `-`.'),
  url: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe(
      'Where it is fetched when the model is rendered by name; without it people put the file there.',
    ),
  bytes: z.int().min(1).optional().describe('Size of the file; with `url`.'),
  checksum: z
    .string()
    .regex(/^(md5:[0-9a-f]{32}|sha256:[0-9a-f]{64})$/)
    .optional()
    .describe('`sha256:` or `md5:` and the hex digits; with `url`.'),
});
export type KeptFile = z.infer<typeof keptFile>;

/** Nothing is fetched from strangers without knowing what it has to be. */
function fetchedIsKnown({ url, bytes, checksum }: KeptFile, context: z.RefinementCtx<KeptFile>): void {
  if (url === undefined) return;
  const missing = { bytes: 'the size of what `url` gives', checksum: 'the checksum of what `url` gives' };
  if (bytes === undefined) context.addIssue({ code: 'custom', path: ['bytes'], message: missing.bytes });
  if (checksum === undefined) {
    context.addIssue({ code: 'custom', path: ['checksum'], message: missing.checksum });
  }
}

const layerNames = z.array(z.string()).min(1).describe('Names of all layers in this file.');

export const weights = z
  .union([
    z.string(),
    keptFile.superRefine(fetchedIsKnown),
    z.array(keptFile.extend({ layers: layerNames }).superRefine(fetchedIsKnown)).min(1),
  ])
  .describe(
    'The model file: a path relative to this file, or a file to be kept in .cache/weights, or a list of such files with their layers, of which the first that has all wanted layers is taken.',
  );

export const modelContent = z.strictObject({
  $schema: z.string().optional().describe('For editors: the JSON schema of this file.'),
  title: z.string().min(1).max(200).describe('The model as people call it.'),
  summary: z.string().max(500).optional().describe('One sentence for the home page.'),
  weights,
  input: z
    .strictObject({
      scaling: inputScaling.default('0..1'),
      sizePx: z
        .int()
        .min(1)
        .max(4096)
        .optional()
        .describe(
          'Side of the rendered pictures in pixels, where the network leaves it free; by default a layer gets what it sees and some more.',
        ),
    })
    .prefault({})
    .describe('What the network takes.'),
  layers: z
    .array(z.string())
    .min(1)
    .optional()
    .describe('Names or patterns (`conv*`) of the layers to show; by default all that can be rendered.'),
  recipe: recipeReference
    .default('phosphene')
    .describe('The recipe for all layers that `recipes` does not name.'),
  recipes: z
    .record(z.string(), recipeReference)
    .default({})
    .describe('Recipes by layer name or pattern; the first pattern that fits counts.'),
  lambdas: z
    .record(z.string(), z.string().max(1000))
    .optional()
    .describe('What Keras Lambda layers compute: expressions of x by layer name, as in `x / 127.5 - 1`.'),
  classes: z
    .union([z.array(z.string()), z.string()])
    .optional()
    .describe(
      'Names of the classes, in the order of the scores: a list, or a text file with one name a line, relative to this file.',
    ),
  source: z.string().optional().describe('Where the model comes from.'),
  licence: z.string().optional().describe('The licence of the weights.'),
});
/** What such a file says, with the names of the classes read where it names their file. */
export type ModelContent = Omit<z.infer<typeof modelContent>, 'classes'> & {
  readonly classes?: string[];
};

// ----------------------------------------------------------- written by people: content/addresses.json, if at all

/** `model`, `model/layer`, `model/layer/3`; and where several units may be meant, `model/layer/3-9`. */
const place = z.string().regex(/^[^/\s]+(\/[^/\s]+(\/\d+)?)?$/);
const places = z.string().regex(/^[^/\s]+(\/[^/\s]+(\/\d+(-\d+)?)?)?$/);

/** What became of addresses that were published once and are not any more. */
export const addressBook = z.strictObject({
  $schema: z.string().optional(),
  moved: z
    .record(place, place)
    .default({})
    .describe(
      'Where a model, a layer, a unit or a page of changes is now: `"mnist/conv": "mnist/conv2d_1"`, `"changes/a": "changes/b"`. Its old address forwards.',
    ),
  gone: z
    .record(places, z.string().min(1).max(500))
    .default({})
    .describe(
      'Why a model, a layer, units or a page of changes are no longer shown: `"mnist/dense_1/200-255": "The layer was made narrower."` Their pages say so, and show the last picture.',
    ),
});
export type AddressBook = z.infer<typeof addressBook>;

// ------------------------------------------------------------------------- written by `publish`: content/gallery

/** What a network made of the published picture when it was fed back; for units of the class scores. */
export const prediction = z.object({
  unit: z.int().describe('The class with the highest probability.'),
  label: z.string().optional(),
  probability: z.number().min(0).max(1).describe('Softmax probability of that class.'),
  right: z.boolean().describe('Whether it is the class that the picture was made for.'),
});

/** Measured on the published 8-bit picture, fed back through the network. */
export const measures = z.object({
  activation: z
    .number()
    .describe("Mean of the unit's map after the activation; the score itself for a class."),
  maxActivation: z.number().describe("Largest value of the unit's map."),
  initialActivation: z.number().describe('`activation` of the start, before the first step.'),
  linearActivation: z.number().describe('Mean of the map before the activation function.'),
  keptUnderShifts: z
    .number()
    .nullable()
    .describe(
      'Mean share of `activation` that is left when the picture moves by 1 or 2 pixels; null where it is not above 0.',
    ),
  keptUnderScales: z
    .number()
    .nullable()
    .optional()
    .describe(
      'Mean share of `activation` that is left when the picture is enlarged or reduced by a twentieth; null where it is not above 0.',
    ),
  equalContrastActivation: z
    .number()
    .optional()
    .describe(
      "`activation` when the picture's deviation from the network's grey is scaled to an RMS of 48 of 255: what recipes are compared by.",
    ),
  harshShare: z
    .number()
    .min(0)
    .max(1)
    .describe('Share of channel values within 8 of 0 or 255 in the picture as the network saw it.'),
  highFrequencyShare: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe("Share of the picture's power, its mean apart, above .25 cycles a pixel."),
  dead: z
    .boolean()
    .describe('No start and no recipe that was tried made the unit active: its output is 0 for all of them.'),
  probability: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe(
      'Softmax probability of the class that the picture was made for; for units of the class scores.',
    ),
  prediction: prediction.optional(),
});
export type Measures = z.infer<typeof measures>;

export const frame = z.object({
  step: z.int().min(0).describe('Number of updates made before this picture.'),
  objective: z.number().describe('The objective of this picture.'),
});

export const unitRecord = z.object({
  unit: z.int().min(0).describe('Index in the framework that trained the model, from 0.'),
  label: z.string().optional().describe('Class name, for units of the class scores.'),
  image: z.object({
    file: z
      .string()
      .describe('Path below public/gallery, named by the fingerprint: what has this name never changes.'),
    widthPx: z.int(),
    heightPx: z.int(),
  }),
  strip: z.object({
    file: z
      .string()
      .describe(
        'Path below public/gallery: all frames side by side, first to last, each the size of the image.',
      ),
    frames: z.array(frame).min(1).max(64),
  }),
  recipe: z.string().describe("Key into the layer file's `recipes`."),
  seed: z.int(),
  objective: z.object({
    name: z.string(),
    curve: z
      .array(z.tuple([z.int(), z.number()]))
      .max(256)
      .describe('[step, value], thinned to at most 256 points; first and last are always there.'),
  }),
  measures,
  fingerprint: z.string().regex(/^[0-9a-f]{64}$/),
  engine: z.string(),
  device: z.string(),
  seconds: z.number().describe('Time that this rendering took, its share of its batch.'),
  renderedAt: z.iso.datetime(),
});
export type UnitRecord = z.infer<typeof unitRecord>;

export const layerSummary = z.object({
  slug: z.string().describe('As in the address.'),
  name: z.string().describe("The layer's name in the model file; untrusted text."),
  kind: z.enum(['conv', 'dense', 'scores', 'other']),
  index: z.int().min(0).describe('Place among the layers of the network, from 0.'),
  units: z.int().min(1).describe('Units that the layer has.'),
  published: z.int().min(0).describe('Units that the gallery shows.'),
  dead: z.int().min(0).describe('Published units that are dead.'),
  picture: z
    .object({ heightPx: z.int(), widthPx: z.int() })
    .describe("The size of the units' pictures: each layer has its own where the network leaves it free."),
  output: z.array(z.int()).describe('[channels, height, width] for such a picture, or [units].'),
  receptiveFieldPx: z
    .int()
    .nullable()
    .describe('Side of the input area that one value of the map sees; null: all of it.'),
  inputs: z
    .array(z.string())
    .optional()
    .describe(
      'Slugs of the shown layers that it takes its input from, nearest ones only; none: the picture.',
    ),
  shown: z
    .array(z.tuple([z.int(), z.int()]))
    .optional()
    .describe('The published units: the first and the last of each run of them.'),
  latest: z.iso.datetime().optional().describe('When the youngest of them was rendered.'),
  samples: z
    .array(z.object({ unit: z.int(), file: z.string(), widthPx: z.int(), heightPx: z.int() }))
    .max(12)
    .describe('A few pictures of the layer that are worth showing on the pages above.'),
  file: z
    .string()
    .optional()
    .describe(
      "In the index: the layer's own file, below content/gallery, named by its content; `<model>/<layer>.json` where it is absent.",
    ),
});
export type LayerSummary = z.infer<typeof layerSummary>;

/** What a release is one of. */
const releaseOf = z.object({
  of: z.string().describe("The model's slug."),
  name: z.string(),
  releasedAt: z.iso.datetime(),
});

export const galleryModel = z.object({
  slug: z.string().describe('As in the address; of a release `<model>@<release>`.'),
  release: releaseOf.optional().describe('Only of a release, which never changes.'),
  title: z.string(),
  summary: z.string().optional(),
  source: z.string().optional(),
  licence: z.string().optional(),
  sha256: z.string().describe('Of the model file.'),
  format: z.string(),
  parameters: z.int().describe('Trained numbers in the network.'),
  input: z.object({
    channels: z.int(),
    heightPx: z.int().nullable().describe('Null: any.'),
    widthPx: z.int().nullable().describe('Null: any.'),
    scaling: inputScaling,
  }),
  classes: z.array(z.string()).optional(),
  layers: z.array(layerSummary),
});
export type GalleryModel = z.infer<typeof galleryModel>;

/** A unit that is not the same in two states of its network. */
export const unitChange = z.object({
  unit: z.int(),
  label: z.string().optional(),
  before: z.string().nullable().describe('Fingerprint; null where that state has no such unit.'),
  after: z.string().nullable(),
  own: z.boolean().nullable().describe('Whether its own weights changed; null where nobody knows.'),
  below: z.boolean().nullable().describe('Whether the network below its layer changed.'),
  settings: z.boolean().nullable().describe('Whether it was rendered in another way.'),
  weights: z
    .number()
    .nullable()
    .describe(
      'How far its own weights went: relative L2 distance; null where one state has no weights to read.',
    ),
  rendered: z.tuple([z.boolean(), z.boolean()]).describe('Whether there is a picture before and after.'),
  picture: z
    .number()
    .nullable()
    .describe(
      "Root mean square of the difference of the pictures' values, 0 to 1; null without two pictures.",
    ),
  activation: z.tuple([z.number().nullable(), z.number().nullable()]),
  dead: z.tuple([z.boolean().nullable(), z.boolean().nullable()]),
});
export type UnitChange = z.infer<typeof unitChange>;

/** content/changes/<name>.json, written by `diff --page`, in git. */
export const changes = z.strictObject({
  version: z.literal(1),
  model: z.string().describe("The model's slug, of which these are two states."),
  madeAt: z.iso.date(),
  before: z.string(),
  after: z.string(),
  layers: z.array(
    z.strictObject({ slug: z.string(), name: z.string(), units: z.int(), changed: z.array(unitChange) }),
  ),
});
export type Changes = z.infer<typeof changes>;

/** The first and the last of each run of units. */
const runs = z.array(z.tuple([z.int(), z.int()]));

/** content/releases/<model>@<name>.json, written by `release`, in git: what a model's gallery showed that day. */
export const release = z.strictObject({
  version: z.literal(1),
  model: z.string(),
  name: z.string(),
  ...releaseOf.pick({ releasedAt: true }).shape,
  ...galleryModel.pick({
    title: true,
    summary: true,
    source: true,
    licence: true,
    sha256: true,
    format: true,
    parameters: true,
    input: true,
    classes: true,
  }).shape,
  layers: z.array(
    z.strictObject({
      ...layerSummary.pick({
        slug: true,
        name: true,
        kind: true,
        index: true,
        units: true,
        picture: true,
        output: true,
        receptiveFieldPx: true,
        inputs: true,
      }).shape,
      shown: z
        .record(z.string().regex(/^\d+$/), z.string().regex(/^[0-9a-f]{64}$/))
        .describe('The fingerprint of each unit.'),
    }),
  ),
});
export type Release = z.infer<typeof release>;

/** An address that forwards. */
export const moved = z.object({
  from: z.string().describe('`model`, `model/layer` or `model/layer/unit`, as in the address.'),
  to: z.string(),
  units: runs.optional().describe('Of a layer: units that went with it and kept their numbers.'),
});
export type Moved = z.infer<typeof moved>;

/** An address of which only a note is left. */
export const gone = z.object({
  model: z.object({ slug: z.string(), title: z.string() }),
  layer: z.object({ slug: z.string(), name: z.string() }).optional(),
  unit: z.int().optional(),
  until: z.iso.date().describe('The day since which it is not shown.'),
  why: z.string(),
  picture: z
    .object({ file: z.string(), strip: z.string(), widthPx: z.int(), heightPx: z.int() })
    .optional()
    .describe("A unit's last picture, where the store still has it; files below public/gallery."),
});
export type Gone = z.infer<typeof gone>;

/** content/gallery/index.json */
export const galleryIndex = z.object({
  version: z.literal(1),
  models: z.array(galleryModel),
  releases: z.array(galleryModel).optional().describe('Of all models, the oldest first.'),
  changes: z
    .array(
      z.object({
        name: z.string(),
        ...changes.pick({ model: true, madeAt: true, before: true, after: true }).shape,
        file: z.string().describe('Below content/gallery.'),
      }),
    )
    .optional()
    .describe('What changed between two states of a network.'),
  moved: z.array(moved).optional(),
  gone: z.array(gone).optional(),
  recipes: z
    .array(
      z.object({
        name: z.string(),
        source: z.string().optional().describe('Where it was published.'),
        units: z.int().describe('Published units that it made.'),
        recipe: z.record(z.string(), json).describe('Resolved; of a table what all its rows have in common.'),
        layers: z
          .array(
            z.object({
              names: z.array(z.string()).describe('Patterns of layer names; none: the class scores.'),
              recipe: z.record(z.string(), json).describe('What this row has of its own.'),
            }),
          )
          .optional()
          .describe('Of a recipe that differs from layer to layer: the first row that fits counts.'),
      }),
    )
    .optional()
    .describe('The recipes that come with the project.'),
});
export type GalleryIndex = z.infer<typeof galleryIndex>;

/** How units lie on the sheets of a wall; the last sheet may hold fewer. */
export const wallSheet = { columns: 8, unitsPerSheet: 32 } as const;

/** The living units of a layer in order, small, in rows on sheets as `wallSheet` says. */
export const wall = z.object({
  tile: z
    .object({ widthPx: z.int().min(1), heightPx: z.int().min(1) })
    .describe('The size of a unit on a sheet.'),
  files: z.array(z.string()).min(1).describe('Paths below public/gallery.'),
});
export type Wall = z.infer<typeof wall>;

/** A picture below public/gallery. */
const shownPicture = z.object({ file: z.string(), widthPx: z.int(), heightPx: z.int() });

/** content/gallery/changes/<name>.<of its content>.json */
export const galleryChanges = z.object({
  ...changes.shape,
  pictures: z.record(z.string(), shownPicture).describe('By fingerprint; of the most changed units.'),
});
export type GalleryChanges = z.infer<typeof galleryChanges>;

/** A number that means another unit than it did: the layer grew or was put in another order. */
export const renumbered = z.object({
  unit: z.int().describe('The number that meant the unit.'),
  now: z.int().nullable().describe('Its number now, known by its weights; null where it is gone.'),
  until: z.iso.date(),
});
export type Renumbered = z.infer<typeof renumbered>;

/** content/gallery/<model>/<layer>.<of its content>.json; what the index says of a layer leads to it. */
export const galleryLayer = z.object({
  version: z.literal(1),
  model: z.string().describe("The model's slug."),
  layer: layerSummary,
  recipes: z
    .record(z.string(), z.record(z.string(), json))
    .describe('Resolved recipes, by the key that units refer to.'),
  renumbered: z.array(renumbered).optional(),
  releases: z
    .array(
      releaseOf.omit({ of: true }).extend({
        units: runs.describe('Units that the release shows.'),
        same: runs.describe('Those that it shows just as they are here.'),
      }),
    )
    .optional()
    .describe('Releases of the model that show the layer, the oldest first; not in a release.'),
  wall: wall.optional().describe('Absent where pictures differ in size, or nothing is alive.'),
  units: z.array(unitRecord),
});
export type GalleryLayer = z.infer<typeof galleryLayer>;

// ------------------------------------------------------------------ served by the site: /{model}/{layer}/{unit}.json

/** A rendering as others read it. */
export const unitJson = z.object({
  model: z.object({ slug: z.string(), title: z.string(), sha256: z.string() }),
  layer: z.object({ name: z.string(), slug: z.string(), kind: layerSummary.shape.kind, index: z.int() }),
  unit: z.int(),
  label: z.string().optional(),
  image: z.object({ url: z.string(), width: z.int(), height: z.int() }),
  strip: z.object({ url: z.string(), frames: z.array(frame) }),
  recipe: z.record(z.string(), json),
  objective: unitRecord.shape.objective,
  permanent: z
    .string()
    .optional()
    .describe('The address of a release that shows the unit just so: link to this one, it never changes.'),
  measures,
  fingerprint: z.string(),
  engine: z.string(),
  device: z.string(),
  seconds: z.number(),
  renderedAt: z.string(),
  neighbours: z.object({
    previous: z.string().nullable().describe('Address of the unit before this one in the layer, or null.'),
    next: z.string().nullable(),
  }),
  cite: z.string().describe('One line of text that names the unit, the gallery and its address.'),
});
export type UnitJson = z.infer<typeof unitJson>;

/** What lies at the top of the site beside the models: no model has one of these addresses. */
export const pageNames: readonly string[] = [
  ...['about', 'changes', 'compare', 'gallery', 'pictures', 'search'],
  ...['404.html', 'index.html', 'index.json', 'offline-worker.js', 'pages.xml', 'releases.xml', 'robots.txt'],
  ...['schema.json', 'search.json', 'sitemap.xml'],
];

/** The gallery as others read it: /index.json */
export const indexJson = z.object({
  models: z.array(
    z.object({
      slug: z.string(),
      title: z.string(),
      summary: z.string().optional(),
      source: z.string().optional(),
      licence: z.string().optional(),
      sha256: z.string(),
      format: z.string(),
      parameters: z.int(),
      input: galleryModel.shape.input,
      url: z.string(),
      releases: z
        .array(z.object({ name: z.string(), releasedAt: z.string(), url: z.string() }))
        .optional()
        .describe('The oldest first.'),
      layers: z.array(
        layerSummary
          .pick({ slug: true, name: true, kind: true, index: true, units: true, published: true, dead: true })
          .extend({
            inputs: layerSummary.shape.inputs,
            output: layerSummary.shape.output,
            receptiveFieldPx: layerSummary.shape.receptiveFieldPx,
            url: z.string(),
            record: z.string().describe('Address of the layer as JSON.'),
          }),
      ),
    }),
  ),
});
export type IndexJson = z.infer<typeof indexJson>;

/** A layer as others read it: /{model}/{layer}/index.json */
export const layerJson = z.object({
  model: z.string(),
  layer: z.string(),
  units: z.array(
    z.object({
      unit: z.int(),
      label: z.string().optional(),
      url: z.string(),
      record: z.string().describe('Address of all that is known of the unit, as JSON.'),
      picture: z.string(),
      strip: z.string(),
      fingerprint: z.string(),
      measures,
    }),
  ),
});
export type LayerJson = z.infer<typeof layerJson>;

/** What the search page looks in: /search.json, as short as it can be. */
export const searchJson = z.object({
  models: z.array(
    z.object({
      slug: z.string(),
      title: z.string(),
      layers: z.array(
        z.object({
          slug: z.string(),
          name: z.string(),
          shown: z.array(z.tuple([z.int(), z.int()])),
          labels: z.array(z.string()).optional().describe('By unit, for class scores.'),
        }),
      ),
    }),
  ),
});
export type SearchJson = z.infer<typeof searchJson>;
