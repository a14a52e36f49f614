/**
 * Where the records of benchmarks lie, below the folder of all results:
 *
 *   results/bench/index.jsonl                       one line a session
 *   results/bench/<session>/session.json            who, what, where, with what plan
 *   results/bench/<session>/trials.jsonl            one line a trial
 *   results/bench/<session>/hlog/<trial>.hlog       histograms by second
 *   results/bench/<session>/samples.jsonl           figures by second: steal, event loop, memory
 *   results/bench/<session>/compare.json            what was decided; tables and pages are made from it
 *   results/bench/baselines/<name>.json             a pointer to a session
 *   results/bench/aa/<env>/<workload>.json          how far equal builds come out apart on such machines
 *
 * A session's name is when it began, the commit that was measured and two bytes of chance:
 * `20261121T184609Z-1a2b3c4-9f08`. Of hashes, a path has the first 12 digits.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';

export interface SessionPlaces {
  readonly directory: string;
  readonly session: string;
  readonly trials: string;
  readonly samples: string;
  readonly comparison: string;
  readonly hlogDirectory: string;
  hlog(trialId: string): string;
}

export class BenchPlaces {
  readonly root: string;

  /** @param resultsDirectory the folder `results` */
  constructor(resultsDirectory: string) {
    this.root = join(resultsDirectory, 'bench');
  }

  get index(): string {
    return join(this.root, 'index.jsonl');
  }

  session(id: string): SessionPlaces {
    return placesIn(join(this.root, id));
  }

  baseline(name: string): string {
    return join(this.root, 'baselines', `${name}.json`);
  }

  floors(envClass: string, workloadHash: string): string {
    return join(this.root, 'aa', shortHash(envClass), `${shortHash(workloadHash)}.json`);
  }
}

/** The places of a session whose directory is known, wherever it was copied to. */
export function placesIn(directory: string): SessionPlaces {
  const hlogDirectory = join(directory, 'hlog');
  return {
    directory,
    session: join(directory, 'session.json'),
    trials: join(directory, 'trials.jsonl'),
    samples: join(directory, 'samples.jsonl'),
    comparison: join(directory, 'compare.json'),
    hlogDirectory,
    hlog: (trialId) => join(hlogDirectory, `${trialId}.hlog`),
  };
}

/** @param sha the commit that was measured; null outside git */
export function newSessionId(wallMs: number, sha: string | null): string {
  const stamp = new Date(wallMs).toISOString().replace(/[-:]/g, '').slice(0, 15);
  return `${stamp}Z-${sha === null ? 'nogit' : sha.slice(0, 7)}-${randomBytes(2).toString('hex')}`;
}

/** `p03-C`: the candidate's trial of the third pair. */
export function trialIdOf(pair: number, arm: 'B' | 'C'): string {
  return `p${String(pair).padStart(2, '0')}-${arm}`;
}

function shortHash(hash: string): string {
  return hash.replace(/^sha256:/, '').slice(0, 12);
}
