/** Our own checks by the name that a finding carries. */
import { checkChance } from './chance.mjs';
import { checkDoorways } from './doorways.mjs';
import { checkFloors } from './floors.mjs';
import { checkSize } from './size.mjs';
import { checkTests } from './tests.mjs';

/** @type {Record<string, import('./source.mjs').Check>} */
export const ownChecks = {
  floors: checkFloors,
  doorways: checkDoorways,
  chance: checkChance,
  size: checkSize,
  tests: checkTests,
};
