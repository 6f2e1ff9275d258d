import type { APIRoute } from 'astro';
import { address } from '../lib/address.ts';
import { sitemap } from '../lib/sitemap.ts';

export const GET: APIRoute = ({ site }) =>
  sitemap([address.home, address.search, address.compare(), address.about], site);
