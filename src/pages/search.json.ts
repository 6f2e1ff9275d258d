import type { APIRoute } from 'astro';
import { readGallery } from '../lib/gallery.ts';
import { searchable } from '../lib/index-json.ts';

export const GET: APIRoute = async () => Response.json(searchable(await readGallery()));
