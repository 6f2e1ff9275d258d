/** The size of a picture, in values: channels and pixels. */
export interface PictureSize {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}
