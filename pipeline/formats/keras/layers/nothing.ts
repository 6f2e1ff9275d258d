/** Layers that only do something while a network is trained. */

import { onlyInput, type WriteLayer } from './layer.ts';

export const nothing: WriteLayer = (call) => onlyInput(call);
