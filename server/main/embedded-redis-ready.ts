/**
 * Waits until a server that was started answers and has loaded its data.
 *
 * A large append-only file takes minutes to load, and Redis answers LOADING meanwhile. So there is no
 * limit to the whole wait, but one to the time without any progress.
 */
import type { Clock } from '../base/clock.ts';
import { CrowdbeatError } from '../base/errors.ts';
import { lastLogLine, pause, type ServerProcess } from './embedded-redis-process.ts';
import { askRedis, infoField, type RedisAddress, type RedisAnswer } from './embedded-redis-wire.ts';

export interface Waiting {
  readonly dataDir: string;
  readonly clock: Clock;
  /** Milliseconds without any progress after which the wait is given up. */
  readonly stallDeadlineMs: number;
  log(line: string): void;
}

const reportIntervalMs = 2000;
const pollIntervalsMs = [5, 10, 20, 50] as const;

/**
 * Gives the server's version, as it tells it, once it is ready. Throws CB_REDIS_START, with its last log
 * line, if it ends, stays silent or stalls, or if it turns out to be another server than this process.
 */
export async function awaitReady(
  server: ServerProcess,
  address: RedisAddress,
  waiting: Waiting,
): Promise<string> {
  const { clock } = waiting;
  let lastProgressMs = clock.monotonicMs();
  let nextReportMs = lastProgressMs + reportIntervalMs;
  let loadedBytes: string | undefined;
  for (let round = 0; ; round++) {
    const answer = await askRedis(address, ['PING']);
    if (answer.kind === 'values') return await readVersion(server, address);
    if (!server.isAlive()) throw await endedWhileStarting(server, waiting);
    if (isLoading(answer)) {
      const info = await askRedis(address, ['INFO', 'persistence']);
      const loadedNow = infoField(info, 'loading_loaded_bytes');
      if (loadedNow !== undefined && loadedNow !== loadedBytes) lastProgressMs = clock.monotonicMs();
      loadedBytes = loadedNow ?? loadedBytes;
      if (clock.monotonicMs() >= nextReportMs) {
        nextReportMs = clock.monotonicMs() + reportIntervalMs;
        waiting.log(loadingLine(info));
      }
    }
    if (clock.monotonicMs() - lastProgressMs > waiting.stallDeadlineMs)
      throw stalled(server, waiting, answer);
    await pause(pollIntervalsMs[Math.min(round, pollIntervalsMs.length - 1)] ?? 50);
  }
}

async function readVersion(server: ServerProcess, address: RedisAddress): Promise<string> {
  const info = await askRedis(address, ['INFO', 'server']);
  const pid = infoField(info, 'process_id');
  if (pid === String(server.pid))
    return infoField(info, 'valkey_version') ?? infoField(info, 'redis_version') ?? 'unknown';
  const where = 'path' in address ? address.path : `port ${address.port}`;
  const message = `another server (process ${pid ?? 'unknown'}) answers on ${where} instead of process ${server.pid}`;
  throw new CrowdbeatError('CB_REDIS_START', message);
}

function isLoading(answer: RedisAnswer): boolean {
  return answer.kind === 'error' && answer.text.startsWith('LOADING');
}

/** `embedded Redis loads its data: 41 % of 812 MB, about 12 s left` */
function loadingLine(info: RedisAnswer): string {
  const percent = Number(infoField(info, 'loading_loaded_perc') ?? 0);
  const megabytes = Number(infoField(info, 'loading_total_bytes') ?? 0) / 1e6;
  const left = infoField(info, 'loading_eta_seconds') ?? '?';
  return `embedded Redis loads its data: ${percent.toFixed(0)} % of ${megabytes.toFixed(0)} MB, about ${left} s left`;
}

async function endedWhileStarting(server: ServerProcess, waiting: Waiting): Promise<CrowdbeatError> {
  const how = await server.ended;
  const where = `embedded Redis in ${waiting.dataDir} ended while starting (${how})`;
  return new CrowdbeatError('CB_REDIS_START', `${where}: ${lastLogLine(waiting.dataDir)}`);
}

function stalled(server: ServerProcess, waiting: Waiting, answer: RedisAnswer): CrowdbeatError {
  const said = answer.kind === 'values' ? 'ready' : answer.text;
  const where = `embedded Redis in ${waiting.dataDir} (process ${server.pid}) is not ready`;
  const last = `${said}; its log ends with: ${lastLogLine(waiting.dataDir)}`;
  return new CrowdbeatError(
    'CB_REDIS_START',
    `${where}, no progress in ${waiting.stallDeadlineMs} ms: ${last}`,
  );
}
