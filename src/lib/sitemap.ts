/** A list of pages for search engines. */

import { absolute } from './address.ts';
import { forXml, xml } from './xml.ts';

export function sitemap(paths: readonly string[], site: URL | undefined): Response {
  if (site === undefined) return new Response(null);
  const entries = paths.map((path) => `<url><loc>${forXml(absolute(path, site))}</loc></url>`);
  return xml(`<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">${entries.join('')}</urlset>`);
}
