/** The program of a thread: makes the smaller copy of the packaged geo database. */
import { findPackagedDatabase, makePackagedDatabase } from './packaged-database.ts';

const found = findPackagedDatabase();
if (found !== undefined) await makePackagedDatabase(found);
