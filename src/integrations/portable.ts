/**
 * A copy of the site that opens by a double click, from a stick, a zip or a mail: every link leads to the file itself,
 * from the page it is on. Browsers run no module scripts from files, so its pages are as they are without scripts.
 */

import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, posix, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AstroIntegration } from 'astro';
import { linkAll } from './links.ts';

/**
 * The text of a page with every link that begins with the site's base (`/`, `/gallery/`) made relative to the page.
 * @param path Of the page below the site, e.g. `mnist/conv2d_1/index.html`.
 */
export function withRelativeLinks(html: string, path: string, base: string): string {
  return html.replaceAll(/ (href|src|action)="(\/[^"]*)"/g, (whole, name: string, address: string) => {
    if (!address.startsWith(base)) return whole;
    const [, target = '', rest = ''] = /^([^?#]*)(.*)$/.exec(address.slice(base.length)) ?? [];
    const file = target === '' || target.endsWith('/') ? `${target}index.html` : target;
    return ` ${name}="${posix.relative(posix.dirname(path), file)}${rest}"`;
  });
}

/** Writes the copy to `folder`, whenever the site is built. */
export function portable(folder: string): AstroIntegration {
  let base = '/';
  return {
    name: 'phosphene:portable',
    hooks: {
      'astro:config:done': ({ config }) => {
        base = config.base.replace(/\/?$/, '/');
      },
      'astro:build:done': ({ dir }) => {
        const site = fileURLToPath(dir);
        rmSync(folder, { recursive: true, force: true });
        linkAll(site, folder, (name) => !name.endsWith('.html'));
        for (const path of readdirSync(site, { recursive: true, encoding: 'utf8' })) {
          if (!path.endsWith('.html')) continue;
          const html = readFileSync(join(site, path), 'utf8');
          writeFileSync(join(folder, path), withRelativeLinks(html, path.replaceAll(sep, '/'), base));
        }
      },
    },
  };
}
