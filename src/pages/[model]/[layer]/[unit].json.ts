/** All that is known of a unit. */

import type { APIRoute } from 'astro';
import type { UnitView } from '../../../lib/gallery.ts';
import { unitRoutes } from '../../../lib/routes.ts';
import { unitAsJson } from '../../../lib/unit-json.ts';

export const getStaticPaths = () => unitRoutes();

export const GET: APIRoute<UnitView> = ({ props, site }) => Response.json(unitAsJson(props, site));
