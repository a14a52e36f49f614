/**
 * Is this machine quiet enough to measure on? Three looks, one after the other: how late timers fire while nothing else is
 * to do; how fast and how evenly our own load client gets answers from a server that does nothing; and what the host
 * takes away meanwhile. docs/validity.md has the limits.
 */
import type { Clock } from '../../server/base/clock.ts';
import { formatCount } from '../../server/base/units.ts';
import { HistogramSet, type LatencySummary, Recorder } from '../measure/index.ts';
import { HttpPool, requestHead } from '../transport/index.ts';
import { MachineWatch } from './machine-counters.ts';

export const doctorSchema = 'crowdbeat.doctor/1';

export interface MachineReport {
  readonly schema: typeof doctorSchema;
  readonly grade: 'quiet' | 'moderate' | 'noisy';
  /** What keeps it from being quiet, in words. */
  readonly reasons: readonly string[];
  readonly timerLatenessMs: LatencySummary | null;
  readonly stealShare: number | null;
  readonly throttledShare: number | null;
  readonly clockJumpMsMax: number;
  /** One thread of the load client against a null server. */
  readonly loopback: {
    readonly requestsPerSecond: number;
    readonly cpuUsPerRequest: number;
    readonly serviceMs: LatencySummary | null;
    /** Standard deviation of the rate, quarter second by quarter second, by its mean. */
    readonly variation: number;
  };
}

/** A figure up to the first limit is quiet, beyond the second noisy. */
export const doctorLimits = {
  timerLatenessP99Ms: [2, 10],
  stealShare: [0.01, 0.05],
  throttledShare: [0.001, 0.01],
  variation: [0.05, 0.15],
  clockJumpMs: [50, 500],
} as const;

export interface DoctorOptions {
  /** A server that answers every POST at once; in a process of its own. */
  readonly nullServer: URL;
  readonly clock: Clock;
  /** Of each of the two looks. Default 3 s. */
  readonly lookMs?: number;
}

export async function examineMachine(options: DoctorOptions): Promise<MachineReport> {
  const { clock, lookMs = 3000 } = options;
  const machine = new MachineWatch(clock);
  const timerLatenessMs = await timerLateness(clock, lookMs);
  machine.sample();
  const loopback = await measureLoopback(options.nullServer, clock, lookMs);
  machine.sample();
  const figures = { timerLatenessMs, ...machine.summary(), loopback };
  return { schema: doctorSchema, ...gradeOf(figures), ...figures };
}

type Figures = Omit<MachineReport, 'schema' | 'grade' | 'reasons'>;

export function gradeOf(figures: Figures): Pick<MachineReport, 'grade' | 'reasons'> {
  const percent = (share: number): string => `${Number((share * 100).toPrecision(3))} %`;
  const ms = (value: number): string => `${Number(value.toPrecision(3))} ms`;
  const looks = [
    ['timerLatenessP99Ms', figures.timerLatenessMs?.p99, ms, 'timers are late, p99'],
    ['stealShare', figures.stealShare, percent, 'other guests of the host take CPU time:'],
    ['throttledShare', figures.throttledShare, percent, 'the control group waits for its CPU quota:'],
    ['variation', figures.loopback.variation, percent, 'the rate on loopback varies by'],
    ['clockJumpMs', figures.clockJumpMsMax, ms, 'the wall clock jumps by'],
  ] as const;
  let grade: MachineReport['grade'] = 'quiet';
  const reasons: string[] = [];
  for (const [name, value, words, what] of looks) {
    const [quiet, moderate] = doctorLimits[name];
    if (value === null || value === undefined || value <= quiet) continue;
    reasons.push(`${what} ${words(value)}, more than ${words(value > moderate ? moderate : quiet)}`);
    if (value > moderate) grade = 'noisy';
    else if (grade === 'quiet') grade = 'moderate';
  }
  return { grade, reasons };
}

const timerMs = 5;

/** How much later than asked a timer fires in a process that has nothing else to do. */
function timerLateness(clock: Clock, lookMs: number): Promise<LatencySummary | null> {
  const recorder = new Recorder();
  const series = recorder.seriesOf('lateness', 'timer');
  const endMs = clock.monotonicMs() + lookMs;
  return new Promise((resolve) => {
    const again = (): void => {
      const startMs = clock.monotonicMs();
      if (startMs >= endMs) resolve(summaryOf(recorder, 'lateness'));
      else
        setTimeout(() => {
          recorder.record(series, (clock.monotonicMs() - startMs - timerMs) * 1000);
          again();
        }, timerMs);
    };
    again();
  });
}

function summaryOf(recorder: Recorder, metric: 'lateness' | 'service'): LatencySummary | null {
  const histograms = new HistogramSet({ steadyFromMs: 0 });
  histograms.add(recorder.takeInterval(1));
  return histograms.summary('whole', metric) ?? null;
}

const connections = 64;
const sliceMs = 250;
const timeoutMs = 5000;

/** Closed loop on 64 connections: each answer brings the next request. The first slice is warming up. */
function measureLoopback(url: URL, clock: Clock, lookMs: number): Promise<MachineReport['loopback']> {
  const recorder = new Recorder();
  const series = recorder.seriesOf('service', 'request');
  const sentMs = new Float64Array(connections);
  const body = JSON.stringify({ event: { type: 'heartbeat', time: 1, seq: 1 }, visitor: { id: 'doctor' } });
  const head = requestHead({ method: 'POST', path: '/write', host: url.host });
  const request = `${head}${body.length}\r\n\r\n${body}`;
  const startMs = clock.monotonicMs() + sliceMs;
  const endMs = startMs + lookMs;
  const slices = new Float64Array(Math.max(1, Math.floor(lookMs / sliceMs)));
  let cpu = process.cpuUsage();
  let isCounting = false;
  return new Promise((resolve) => {
    const finish = (): void => {
      const { user, system } = process.cpuUsage(cpu);
      pool.close();
      const serviceMs = summaryOf(recorder, 'service');
      const count = Math.max(1, serviceMs?.count ?? 0);
      resolve({
        requestsPerSecond: (count * 1000) / lookMs,
        cpuUsPerRequest: (user + system) / count,
        serviceMs,
        variation: variationOf(slices),
      });
    };
    const pool: HttpPool = new HttpPool({
      url,
      connections,
      requestTimeoutMs: timeoutMs,
      connectTimeoutMs: timeoutMs,
      clock,
      handler: {
        onSent: (token, atMs) => {
          sentMs[token] = atMs;
        },
        onReply: (token, _reply, atMs) => {
          if (atMs >= endMs) return;
          if (atMs >= startMs) {
            if (!isCounting) cpu = process.cpuUsage();
            isCounting = true;
            recorder.record(series, (atMs - (sentMs[token] ?? atMs)) * 1000);
            const slice = Math.floor((atMs - startMs) / sliceMs);
            if (slice < slices.length) slices[slice]! += 1;
          }
          pool.send(token, request);
        },
        onFailure: () => undefined,
      },
    });
    for (let token = 0; token < connections; token++) pool.send(token, request);
    setTimeout(finish, endMs - clock.monotonicMs());
  });
}

function variationOf(values: Float64Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (mean === 0) return 1;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return Math.sqrt(variance) / mean;
}

/** The report in words. */
export function machineText(report: MachineReport): string {
  const { grade, reasons, timerLatenessMs, stealShare, throttledShare, loopback } = report;
  const share = (value: number | null): string =>
    value === null ? 'unknown' : `${(value * 100).toFixed(1)} %`;
  const ms = (value: number | undefined): string => (value === undefined ? 'none' : `${value.toFixed(2)} ms`);
  return [
    `This machine is ${grade}${reasons.length === 0 ? '.' : ':'}`,
    ...reasons.map((reason) => `  - ${reason}`),
    `Timers     late by ${ms(timerLatenessMs?.p50)} (p50), ${ms(timerLatenessMs?.p99)} (p99), ${ms(timerLatenessMs?.max)} (max)`,
    `CPU        ${share(stealShare)} stolen by other guests, throttled ${share(throttledShare)} of the time`,
    `Loopback   ${formatCount(loopback.requestsPerSecond)} requests a second by one thread against a null server, ` +
      `varying by ${share(loopback.variation)}`,
    `           ${loopback.cpuUsPerRequest.toFixed(1)} us of CPU a request; answers in ${ms(loopback.serviceMs?.p50)} (p50), ` +
      `${ms(loopback.serviceMs?.p99)} (p99)`,
    '',
  ].join('\n');
}
