import type { APIRoute } from 'astro';
import { z } from 'zod';
import { indexJson, layerJson, unitJson } from '../../content/schema.ts';

/** The JSON that this site serves, as one JSON schema: `$defs` for the index, a layer and a unit. */
export const GET: APIRoute = () =>
  Response.json({
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'The JSON of a Phosphene gallery',
    $defs: Object.fromEntries(
      Object.entries({ index: indexJson, layer: layerJson, unit: unitJson }).map(([name, schema]) => {
        const { $schema: _, ...definition } = z.toJSONSchema(schema);
        // What a definition refers to lies in it.
        const text = JSON.stringify(definition).replaceAll('"#/$defs/', `"#/$defs/${name}/$defs/`);
        return [name, JSON.parse(text) as unknown];
      }),
    ),
  });
