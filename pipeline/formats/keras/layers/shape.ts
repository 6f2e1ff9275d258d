/** Layers that move values without changing them: borders, crops, enlargements, other shapes. */

import { int, ints, text } from '../../../network/graph.ts';
import { LayerProblem } from '../settings.ts';
import {
  asPicture,
  asSeen,
  fromPicture,
  type KerasTensor,
  type Picture,
  type Size,
  shapeText,
} from '../tensor.ts';
import { dataFormat, type LayerCall, onlyInput, type WriteLayer } from './layer.ts';

const onPicture =
  (write: (call: LayerCall, picture: Picture) => Picture): WriteLayer =>
  (call) => {
    const format = dataFormat(call.settings);
    return fromPicture(write(call, asPicture(call.build, onlyInput(call), format)), format);
  };

const plus = (size: Size, more: number): Size => {
  if (size !== null && size + more < 1) throw new LayerProblem(`it leaves nothing of a map of ${size}`);
  return size === null ? null : size + more;
};

export const zeroPadding2d = onPicture((call, picture) => {
  const [[top, bottom], [left, right]] = call.settings.border('padding');
  const pads = call.build.shape([0, 0, top, left, 0, 0, bottom, right]);
  return {
    ...picture,
    value: call.build.add('Pad', [picture.value, pads], {}, call.name),
    height: plus(picture.height, top + bottom),
    width: plus(picture.width, left + right),
  };
});

export const cropping2d = onPicture((call, picture) => {
  const [[top, bottom], [left, right]] = call.settings.border('cropping');
  const { build } = call;
  // ONNX counts ends from the far side where they are negative; "all" is the largest number it takes.
  const end = (cut: number): number => (cut === 0 ? Number.MAX_SAFE_INTEGER : -cut);
  const bounds = [build.shape([top, left]), build.shape([end(bottom), end(right)]), build.shape([2, 3])];
  return {
    ...picture,
    value: build.add('Slice', [picture.value, ...bounds], {}, call.name),
    height: plus(picture.height, -top - bottom),
    width: plus(picture.width, -left - right),
  };
});

/** How Keras resizes, in ONNX' words: pixel centres at halves, no antialiasing. */
const resizing = (interpolation: string) => {
  if (interpolation === 'nearest') {
    return {
      mode: text('nearest'),
      coordinate_transformation_mode: text('half_pixel'),
      nearest_mode: text('round_prefer_ceil'),
    };
  }
  if (interpolation !== 'bilinear') {
    throw new LayerProblem(`its interpolation '${interpolation.slice(0, 40)}' is not known`);
  }
  return { mode: text('linear'), coordinate_transformation_mode: text('half_pixel') };
};

export const upSampling2d = onPicture((call, picture) => {
  const [vertical, horizontal] = call.settings.pair('size', [2, 2]);
  const interpolation = call.settings.text('interpolation', 'nearest');
  const { build } = call;
  const attributes =
    interpolation === 'nearest'
      ? {
          mode: text('nearest'),
          coordinate_transformation_mode: text('asymmetric'),
          nearest_mode: text('floor'),
        }
      : resizing(interpolation);
  const scales = call.constant('scales', () => ({
    type: 'float32',
    dims: [4],
    data: Float32Array.of(1, 1, vertical, horizontal),
  }));
  return {
    ...picture,
    value: build.add('Resize', [picture.value, '', scales], attributes, call.name),
    height: picture.height === null ? null : picture.height * vertical,
    width: picture.width === null ? null : picture.width * horizontal,
  };
});

export const resizing2d = onPicture((call, picture) => {
  const { build, settings } = call;
  const height = settings.whole('height');
  const width = settings.whole('width');
  for (const key of ['crop_to_aspect_ratio', 'pad_to_aspect_ratio', 'antialias']) {
    if (settings.flag(key, false)) throw new LayerProblem(`its setting '${key}' is not supported`);
  }
  const attributes = resizing(settings.text('interpolation', 'bilinear'));
  if (picture.height === height && picture.width === width) return picture;
  const sizes = build.add(
    'Concat',
    [
      build.add('Slice', [build.add('Shape', [picture.value]), build.shape([0]), build.shape([2])]),
      build.shape([height, width]),
    ],
    { axis: int(0) },
  );
  const value = build.add('Resize', [picture.value, '', '', sizes], attributes, call.name);
  return { ...picture, value, height, width };
});

export const reshape: WriteLayer = (call) => {
  const given = onlyInput(call);
  const { build } = call;
  const target = call.settings.shape('target_shape');
  if (given.shape.some((dim) => dim === null)) {
    throw new LayerProblem(`it reshapes a tensor of shape [${shapeText(given.shape)}], whose length is free`);
  }
  const length = (given.shape as number[]).reduce((product, dim) => product * dim, 1);
  const known = target.reduce<number>((product, dim) => product * (dim === null || dim < 0 ? 1 : dim), 1);
  const shape = target.map((dim) => (dim === null || dim < 0 ? length / known : dim));
  if (shape.reduce((product, dim) => product * dim, 1) !== length || !shape.every(Number.isInteger)) {
    throw new LayerProblem(
      `it reshapes [${shapeText(given.shape)}] to [${shape.join(', ')}], which does not fit`,
    );
  }
  const reshaped = (from: KerasTensor, dims: readonly number[]): string =>
    build.add('Reshape', [from.value, build.shape([-1, ...dims])], {}, call.name);
  // One value a channel, before or behind: the same in either order of axes.
  const [height, width, channels] = shape;
  if (
    shape.length === 3 &&
    height === 1 &&
    width === 1 &&
    channels !== undefined &&
    given.shape.length === 1
  ) {
    return { value: reshaped(asSeen(build, given), [channels, 1, 1]), shape, order: 'nchw' };
  }
  const single = given.order === 'nchw' && given.shape[0] === 1 && given.shape[1] === 1;
  const seen = single && shape.length === 1 ? given : asSeen(build, given);
  return { value: reshaped(seen, shape), shape, order: 'same' };
};

export const permute: WriteLayer = (call) => {
  const input = asSeen(call.build, onlyInput(call));
  const order = call.settings.shape('dims');
  const sorted = order.toSorted((a, b) => (a ?? 0) - (b ?? 0));
  if (order.length !== input.shape.length || sorted.some((axis, at) => axis !== at + 1)) {
    throw new LayerProblem(
      `its order of axes [${order.join(', ')}] does not fit [${shapeText(input.shape)}]`,
    );
  }
  const perm = ints([0, ...(order as number[])]);
  const value = call.build.add('Transpose', [input.value], { perm }, call.name);
  return { value, shape: (order as number[]).map((axis) => input.shape[axis - 1] ?? null), order: 'same' };
};
