/** What fetching weights does to this machine: its network, its disk, the folder where downloads are kept. */

import http from 'node:http';
import { join } from 'node:path';
import { Remembered } from '../remembered.ts';
import { defaultPatience } from './download.ts';
import { downloadDisk } from './partial.ts';
import type { WeightsEffects, WeightsEvent } from './weights.ts';

const folder = join('.cache', 'weights');

let throughProxy = false;

export function weightsOnThisMachine(
  signal: AbortSignal,
  emit: (event: WeightsEvent) => void,
): WeightsEffects {
  return {
    folder,
    files: downloadDisk,
    patience: defaultPatience,
    signal,
    emit,
    remembered: new Remembered(),
    fetch: (url, init) => {
      // Node's fetch takes no notice of HTTPS_PROXY and NO_PROXY by itself; before 24.14 it cannot be told to.
      if (!throughProxy) http.setGlobalProxyFromEnv?.();
      throughProxy = true;
      return fetch(url, init);
    },
  };
}
