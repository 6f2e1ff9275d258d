import type { APIRoute } from 'astro';
import { readGallery } from '../lib/gallery.ts';
import { galleryAsJson } from '../lib/index-json.ts';

export const GET: APIRoute = async ({ site }) => Response.json(galleryAsJson(await readGallery(), site));
