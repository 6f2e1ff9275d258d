import type { APIRoute } from 'astro';
import { absolute, address } from '../lib/address.ts';

export const GET: APIRoute = ({ site }) => {
  const map = site === undefined ? '' : `\nSitemap: ${absolute(address.top('sitemap.xml'), site)}\n`;
  return new Response(`User-agent: *\nAllow: /\n${map}`);
};
