import type { APIRoute } from 'astro';
import { absolute, address } from '../lib/address.ts';
import { readGallery } from '../lib/gallery.ts';
import { inThousands, plainName } from '../lib/words.ts';
import { forXml, xml } from '../lib/xml.ts';

/** RSS: a model appears again when units of it are younger than the last time; a page of changes appears once. */
export const GET: APIRoute = async ({ site }) => {
  const gallery = await readGallery();
  const models = [...(gallery?.models ?? []), ...(gallery?.releases ?? [])];
  const items = models.map(({ slug, title, layers, sha256, release }) => {
    const rendered = layers.map((layer) => layer.latest ?? '').reduce((a, b) => (a > b ? a : b), '');
    const latest = release?.releasedAt ?? rendered;
    const units = layers.reduce((sum, { published }) => sum + published, 0);
    const link = forXml(absolute(address.model(slug), site));
    return [
      '<item>',
      `<title>${forXml(plainName(title))}: ${inThousands(units)} units of ${layers.length} layers</title>`,
      `<link>${link}</link>`,
      `<guid isPermaLink="false">${slug} ${sha256.slice(0, 12)} ${latest}</guid>`,
      latest === '' ? '' : `<pubDate>${new Date(latest).toUTCString()}</pubDate>`,
      '</item>',
    ].join('');
  });
  const changes = (gallery?.changes ?? []).map(({ name, before, after, madeAt }) => {
    const link = forXml(absolute(address.changes(name), site));
    const title = `What changed: ${plainName(before)} → ${plainName(after)}`;
    return [
      '<item>',
      `<title>${forXml(title)}</title>`,
      `<link>${link}</link>`,
      `<guid isPermaLink="false">changes ${name}</guid>`,
      `<pubDate>${new Date(madeAt).toUTCString()}</pubDate>`,
      '</item>',
    ].join('');
  });
  return xml(
    `<rss version="2.0"><channel><title>Phosphene</title><link>${forXml(absolute(address.home, site))}</link><description>What convolutional networks see</description>${[...items, ...changes].join('')}</channel></rss>`,
  );
};
