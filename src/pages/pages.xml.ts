import type { APIRoute } from 'astro';
import { address } from '../lib/address.ts';
import { readChanges } from '../lib/changes.ts';
import { sitemap } from '../lib/sitemap.ts';

export const GET: APIRoute = async ({ site }) => {
  const changes = await readChanges();
  const told =
    changes.length === 0 ? [] : [address.changes(), ...changes.map(({ name }) => address.changes(name))];
  return sitemap([address.home, address.search, address.compare(), address.about, ...told], site);
};
