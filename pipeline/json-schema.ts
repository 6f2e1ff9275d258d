/**
 * What a content file may hold, as a JSON schema for editors: the zod schema of content/, with recipes as the pipeline
 * knows them in place of any text and any object. `npm run schema` writes it.
 */

import { writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { modelContent } from '../content/schema.ts';
import { presetNames } from './recipe/resolve.ts';
import { recipe, recipeFields } from './recipe/schema.ts';

export const modelSchemaFile = 'content/model.schema.json';

const preset = z.enum(presetNames).describe('The name of a recipe that comes with the project.');
const ownRecipe = recipeFields
  .partial()
  .extend({ preset: preset.optional().describe('The recipe that the other fields change, each as a whole.') })
  .describe('A recipe of your own: a preset with changes, or every field.');
const recipeReference = z.union([preset, ownRecipe]).meta({ id: 'recipe' });

const written = modelContent.extend({
  recipe: recipeReference.default('phosphene').describe(modelContent.shape.recipe.description ?? ''),
  recipes: z
    .record(z.string(), recipeReference)
    .default({})
    .describe(modelContent.shape.recipes.description ?? ''),
});

/** The schema (draft 7, which editors know best) as the text of its file. */
export function modelJsonSchema(): string {
  const options = { target: 'draft-7', io: 'input' } as const;
  const { required = [] } = z.toJSONSchema(recipe, options);
  const schema = z.toJSONSchema(written, {
    ...options,
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema !== ownRecipe) return;
      jsonSchema.anyOf = [{ required: ['preset'] }, { required }];
      // With a preset its own fields stand where others have a default.
      for (const field of Object.values(jsonSchema.properties ?? {})) {
        if (typeof field === 'object') delete field.default;
      }
    },
  });
  return `${JSON.stringify(schema, null, 2)}\n`;
}

if (import.meta.main) await writeFile(modelSchemaFile, modelJsonSchema());
