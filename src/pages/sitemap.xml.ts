import type { APIRoute } from 'astro';
import { absolute, address } from '../lib/address.ts';
import { readGallery } from '../lib/gallery.ts';
import { forXml, xml } from '../lib/xml.ts';

/** One sitemap a model, and one for what is above them. None where the site does not know its host. */
export const GET: APIRoute = async ({ site }) => {
  if (site === undefined) return new Response(null);
  const models = (await readGallery())?.models ?? [];
  const maps = [address.top('pages.xml'), ...models.map(({ slug }) => `${address.model(slug)}sitemap.xml`)];
  const entries = maps.map((path) => `<sitemap><loc>${forXml(absolute(path, site))}</loc></sitemap>`);
  return xml(
    `<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">${entries.join('')}</sitemapindex>`,
  );
};
