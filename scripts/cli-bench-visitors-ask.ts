/** Asks questions about visitors over and over, and raw commands by turns with them; says what each cost. */
import { type Clock, systemClock } from '../server/base/clock.ts';
import { CrowdbeatError } from '../server/base/errors.ts';
import type { PropertyName } from '../server/protocol/property.ts';
import { answerVisitorQuestion } from '../server/query/visitors/answer.ts';
import { readVisitorQuestion } from '../server/query/visitors/read-question.ts';
import type { RedisConnection } from '../server/store/connection.ts';
import { defaultRetention } from '../server/store/retention.ts';
import { nowMs } from './cli-bench-visitors-data.ts';

export type RawCommand = readonly [command: string, ...args: string[]];

/** The day of the crowds, with a clock that goes on. */
const clock: Clock = { wallMs: () => nowMs, monotonicMs: () => systemClock.monotonicMs() };

export interface QuestionCost {
  /** Of every asking, ascending. */
  readonly latencyMs: readonly number[];
  /** Mean of an asking. */
  readonly collectorCpuMs: number;
  readonly redisCpuMs: number;
  /** Commands of an asking that took Redis longer than 2 ms, and the longest. */
  readonly slowCommands: number;
  readonly longestMs: number;
}

export class Asker {
  readonly #connection: RedisConnection;

  constructor(connection: RedisConnection) {
    this.#connection = connection;
  }

  async once(property: PropertyName, body: object): Promise<object> {
    const question = readVisitorQuestion({ timeoutMs: 30_000, ...body }, nowMs);
    if ('status' in question) throw new CrowdbeatError('CB_OPTION', question.message);
    const context = { connection: this.#connection, property, retention: defaultRetention, clock };
    const reply = await answerVisitorQuestion(question, context);
    if ('expired' in reply || 'status' in reply) throw new CrowdbeatError('CB_OPTION', JSON.stringify(reply));
    return reply;
  }

  async measure(property: PropertyName, body: object, times: number): Promise<QuestionCost> {
    for (let i = 0; i < 3; i++) await this.once(property, body);
    await this.#connection.call('SLOWLOG', ['RESET']);
    const latencyMs: number[] = [];
    const [cpuBefore, redisBefore] = [process.cpuUsage(), await this.#redisCpuMs()];
    for (let i = 0; i < times; i++) {
      const startMs = systemClock.monotonicMs();
      await this.once(property, body);
      latencyMs.push(systemClock.monotonicMs() - startMs);
    }
    const cpu = process.cpuUsage(cpuBefore);
    const redisMs = (await this.#redisCpuMs()) - redisBefore;
    const slow = (await this.#connection.call('SLOWLOG', ['GET', '100000'])) as unknown[][];
    const tookMs = slow.map((entry) => Number(entry[2]) / 1000);
    return {
      latencyMs: latencyMs.sort((a, b) => a - b),
      collectorCpuMs: (cpu.user + cpu.system) / 1000 / times,
      redisCpuMs: redisMs / times,
      slowCommands: tookMs.filter((ms) => ms > 2).length / times,
      longestMs: Math.max(0, ...tookMs),
    };
  }

  /**
   * Redis' own time for a question as a multiple of that for raw commands, by turns in one run. The least tenth of either:
   * what other programs of the machine add only makes times longer.
   */
  async ratio(
    property: PropertyName,
    body: object,
    raw: readonly RawCommand[],
    times: number,
  ): Promise<{ readonly questionUs: number; readonly rawUs: number }> {
    const [questionUs, rawUs]: [number[], number[]] = [[], []];
    for (let i = 0; i < times; i++) {
      rawUs.push(
        await this.#redisUs(async () => {
          await Promise.all(raw.map(([command, ...args]) => this.#connection.call(command, args)));
        }),
      );
      questionUs.push(
        await this.#redisUs(async () => {
          await this.once(property, body);
        }),
      );
    }
    return { questionUs: leastTenth(questionUs), rawUs: leastTenth(rawUs) };
  }

  /** What commands and scripts of the work took, as Redis counts it. */
  async #redisUs(work: () => Promise<void>): Promise<number> {
    await this.#connection.call('CONFIG', ['RESETSTAT']);
    await work();
    const text = String(await this.#connection.call('INFO', ['commandstats']));
    const counted = [...text.matchAll(/cmdstat_(\w+):calls=\d+,usec=(\d+)/g)];
    // What a script calls is counted twice, by its own name and in the script.
    const scripts = counted.filter(([, name = '']) => name.startsWith('eval'));
    const others = counted.filter(([, name = '']) => /^(?:bit|del|get|mget|smismember)/.test(name));
    return (scripts.length > 0 ? scripts : others).reduce((sum, [, , us]) => sum + Number(us), 0);
  }

  async #redisCpuMs(): Promise<number> {
    const text = String(await this.#connection.call('INFO', ['cpu']));
    const seconds = [...text.matchAll(/used_cpu_(?:user|sys):([\d.]+)/g)].map(([, value]) => Number(value));
    return 1000 * seconds.reduce((sum, value) => sum + value, 0);
  }
}

function leastTenth(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 10)] ?? Number.NaN;
}
