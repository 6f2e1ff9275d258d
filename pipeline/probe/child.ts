/** Tries the engine that the command line names and prints what came of it as JSON: a Trial, or a reason. */

import { type EngineName, openEngine } from '../engine/choose.ts';
import { tryOut } from './trial.ts';

const answer = await openEngine(process.argv[2] as EngineName)
  .then(tryOut)
  .catch((error: unknown) => ({ reason: error instanceof Error ? error.message : String(error) }));
process.stdout.write(`${JSON.stringify(answer)}\n`);
