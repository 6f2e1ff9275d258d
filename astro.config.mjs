import { defineConfig } from 'astro/config';
import { keptLayers } from './src/integrations/kept-layers.ts';
import { pictures } from './src/integrations/pictures.ts';
import { portable } from './src/integrations/portable.ts';

const {
  PHOSPHENE_CACHE,
  PHOSPHENE_BASE,
  PHOSPHENE_SITE,
  PHOSPHENE_PUBLIC,
  PHOSPHENE_OUT,
  PHOSPHENE_PORTABLE,
} = process.env;

export default defineConfig({
  ...(PHOSPHENE_SITE === undefined ? {} : { site: PHOSPHENE_SITE }),
  base: PHOSPHENE_BASE ?? '/',
  publicDir: PHOSPHENE_PUBLIC ?? 'public',
  outDir: PHOSPHENE_OUT ?? 'dist',
  cacheDir: PHOSPHENE_CACHE ?? '.cache/astro',
  trailingSlash: 'always',
  compressHTML: true,
  devToolbar: { enabled: false },
  // The pages' security policy allows no inline style and no inline script.
  build: { inlineStylesheets: 'never' },
  vite: {
    build: { assetsInlineLimit: 0, cssCodeSplit: false },
    // A service worker acts below its own address: at the top it sees the whole site, under a name that stays.
    worker: { rolldownOptions: { output: { entryFileNames: '[name]-worker.js' } } },
  },
  integrations: [
    keptLayers(),
    pictures(),
    ...(PHOSPHENE_PORTABLE === undefined ? [] : [portable(PHOSPHENE_PORTABLE)]),
  ],
});
