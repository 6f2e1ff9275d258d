/** What the gallery shall show, told without rendering anything: models, their layers, and of each unit the rendering. */

import type { GalleryModel, ModelContent } from '../../content/schema.ts';
import type { LayerKind } from '../network/network.ts';

/** A model as the gallery shall show it: what the plan knows without rendering anything. */
export interface PublishModel {
  /** As in the address. */
  readonly slug: string;
  /** Only of a release. */
  readonly release?: NonNullable<GalleryModel['release']>;
  readonly content: ModelContent;
  /** Of the model file. */
  readonly sha256: string;
  readonly format: string;
  /** Trained numbers in the network. */
  readonly parameters: number;
  /** Null where the network takes any size. */
  readonly input: {
    readonly channels: number;
    readonly heightPx: number | null;
    readonly widthPx: number | null;
  };
  readonly layers: readonly PublishLayer[];
}

export interface PublishLayer {
  /** As in the address; no other layer of the model has it. */
  readonly slug: string;
  /** As in the model file; untrusted text. */
  readonly name: string;
  readonly kind: LayerKind;
  /** Place among the layers of the network, from 0. */
  readonly index: number;
  /** Units that the layer has. */
  readonly units: number;
  /** The size of the units' pictures. */
  readonly picture: { readonly heightPx: number; readonly widthPx: number };
  /** [channels, height, width] for such a picture, or [units]. */
  readonly output: readonly number[];
  /** Null: the whole input. */
  readonly receptiveFieldPx: number | null;
  /** Slugs of the shown layers that it takes its input from. */
  readonly inputs?: readonly string[];
  /** The units to show. */
  readonly wanted: readonly WantedUnit[];
}

export interface WantedUnit {
  readonly unit: number;
  /** Class name. */
  readonly label?: string;
  readonly fingerprint: string;
  /** sha256 in hex of the weights that are its own: what it is known by when units get other numbers. */
  readonly weights: string;
}
