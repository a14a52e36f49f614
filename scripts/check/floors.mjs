/**
 * Imports only go down. A room (server/store, sim/crowd) stands on a floor; it may import from itself and
 * from the rooms below in its own top folder, type imports included. Between top folders there are doors.
 */
import { posix } from 'node:path';
import { importsOf, isScript, isTest } from './source.mjs';

/** Lowest floor first; rooms on one floor are siblings and don't know each other. @type {Record<string, string[][]>} */
export const floors = {
  server: [['base'], ['protocol'], ['store'], ['access', 'ingest', 'sessions', 'query'], ['http'], ['main']],
  sim: [
    ['random', 'measure', 'transport'],
    ['crowd'],
    ['schedule'],
    ['targets'],
    ['worker'],
    ['audit'],
    ['run'],
  ],
  bench: [['record'], ['stats'], ['compare'], ['report'], ['scenarios', 'chaos'], ['main']],
  scripts: [],
};

/** What a top folder may enter in others. @type {Record<string, string[]>} */
const doors = {
  server: [],
  sim: ['server/base', 'server/protocol'],
  bench: [
    'server/base',
    'server/protocol',
    'sim/random',
    'sim/measure',
    'sim/transport',
    'sim/run',
    'sim/targets',
    'sim/crowd',
  ],
  // The parts that commands share: they start Redis and the collector, and nothing of the crowd.
  scripts: ['server/base', 'server/main'],
};

/** Tests need a real collector and a real Redis, wherever they stand. */
const testDoors = ['server/base', 'server/protocol', 'server/main', 'server/store'];

const commandEntry = /^scripts\/(?:crowdbeat|cli-[\w.-]+)\.ts$/;

/** @type {import('./source.mjs').Check} */
export function checkFloors(path, text) {
  const home = placeOf(path);
  if (!isScript(path) || home === undefined) return [];
  return importsOf(text).flatMap(({ specifier, line }) => {
    if (!specifier.startsWith('.')) return [];
    const target = posix.normalize(posix.join(posix.dirname(path), specifier));
    const fault = faultOf(path, home, target);
    return fault === undefined ? [] : [{ line, message: `${target}: ${fault}` }];
  });
}

/** @typedef {{ top: string, room: string, floor: number }} Place */

/**
 * Files that lie directly in a top folder are its programs: they stand above its rooms.
 * @param {string} path
 * @returns {Place | undefined} undefined outside the top folders
 */
function placeOf(path) {
  const [top = '', room = '', ...rest] = path.split('/');
  const storeys = Object.hasOwn(floors, top) ? floors[top] : undefined;
  if (storeys === undefined) return undefined;
  if (rest.length === 0 || top === 'scripts') return { top, room: '', floor: storeys.length };
  return { top, room, floor: storeys.findIndex((rooms) => rooms.includes(room)) };
}

/** @param {string} path @param {Place} home @param {string} target @returns {string | undefined} */
function faultOf(path, home, target) {
  if (target.startsWith('../')) return 'lies outside the repository';
  if (isTest(target) && !isTest(path)) return 'tests are imported by tests only';
  const there = placeOf(target);
  if (there === undefined) return undefined;
  if (home.floor < 0) return `${home.top}/${home.room} has no floor; enter it in scripts/check/floors.mjs`;
  if (there.floor < 0) return `${there.top}/${there.room} has no floor; enter it in scripts/check/floors.mjs`;
  if (home.top === there.top) return faultAtHome(path, home, there);
  if (commandEntry.test(path)) return undefined;
  if (there.top === 'scripts') return 'nothing but scripts/ imports scripts/';
  const allowed = [...(doors[home.top] ?? []), ...(isTest(path) ? testDoors : [])];
  if (allowed.includes(`${there.top}/${there.room}`)) return undefined;
  return `${home.top}/ must not enter ${there.top}/${there.room}`;
}

/** @param {string} path @param {Place} home @param {Place} there */
function faultAtHome(path, home, there) {
  if (home.room === there.room || there.floor < home.floor) return undefined;
  if (isTest(path)) {
    if (there.floor === home.floor || testDoors.includes(`${there.top}/${there.room}`)) return undefined;
  }
  const relation = there.floor === home.floor ? 'stand on one floor and' : 'imports only go down:';
  return `${relation} ${home.top}/${home.room} must not import ${there.top}/${there.room || '(its programs)'}`;
}
