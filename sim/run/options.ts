/**
 * The options of a run: type, defaults and rules in one place, all checked before anything starts.
 * A flag wins over the config file, the file over the default. The resolved options are stored with the
 * results.
 */
import { availableParallelism } from 'node:os';
import { CrowdbeatError } from '../../server/base/errors.ts';
import { parseDurationMs, parseRatePerSecond } from '../../server/base/units.ts';
import { type AskedDurability, askedDurabilities } from '../../server/protocol/durability.ts';
import { limits } from '../../server/protocol/limits.ts';
import {
  defaultProperty,
  formatPropertyName,
  type PropertyName,
  parsePropertyName,
} from '../../server/protocol/property.ts';
import type { CrowdConfig } from '../crowd/crowd-config.ts';
import { rowsOf } from '../crowd/extras.ts';
import { isQuiet } from '../crowd/network-life.ts';
import { presetCrowd, presets, readCrowd } from '../crowd/presets/index.ts';
import type { Curve, LoadPlan, Spike, Stage } from '../schedule/load-plan.ts';
import type { Credentials } from '../targets/credentials.ts';
import { describeAccess, propertyOf, resolveAccess } from './access-options.ts';
import {
  type Arrivals,
  type LoadOptions,
  loadPlanOf,
  readArrivals,
  readCurve,
  readSpikes,
  readStages,
  visitorsMaxOf,
} from './load-options.ts';
import { checkObjectives, type Objective, readObjectives } from './slo.ts';

export interface SimOptions extends LoadOptions {
  /** Who comes and what they do. */
  readonly crowd: CrowdConfig;
  /** Undefined: `visitors` are present, gathered by the ramp. */
  readonly loadPlan: LoadPlan | undefined;
  readonly visitors: number;
  /** Infinity: until stopped. */
  readonly durationMs: number;
  readonly seed: number;
  /** 0: no heartbeats. */
  readonly heartbeatMs: number;
  /** Arrivals per second while the crowd gathers. */
  readonly rampPerSecond: number;
  /** Undefined: a collector of our own is started. */
  readonly target: URL | undefined;
  readonly property: PropertyName;
  readonly workers: number;
  /** Connections of all workers together. */
  readonly connections: number;
  readonly phase: 'spread' | 'sync';
  readonly jsonFile: string | undefined;
  readonly logClients: number;
  readonly audit: boolean;
  readonly strict: boolean;
  /** What the run has to reach; empty if nothing. */
  readonly objectives: readonly Objective[];
  /** The ledger is saved beside the result, for `crowdbeat audit`. */
  readonly ledgerFile: boolean;
  readonly requestTimeoutMs: number;
  /** What every write asks for. */
  readonly durability: 'stored' | AskedDurability;
  /** The session store that heartbeats go to. Undefined: they are written like all other events. */
  readonly sessionStore: string | undefined;
  /** How long flushers get at the end to write that everybody has left. 0: they are not waited for. */
  readonly awaitTimeoutsMs: number;
  /** Requests say from which address their visitor is. */
  readonly clientHeaders: boolean;
  readonly access: Credentials;
  /** How long open events may take to settle when the run is over. */
  readonly drainMs: number;
  /** The run ends if no event was acknowledged for so long while some are open. Infinity: never. */
  readonly giveUpMs: number;
}

/** Options as typed by a person: texts and numbers, by their names on the command line and in the file. */
export type RawSimOptions = Readonly<Record<string, unknown>>;

interface Rule<Value> {
  readonly fallback: Value;
  /** The value, or undefined if the rule is broken. */
  readonly read: (raw: unknown) => Value | undefined;
  readonly needs: string;
}

const wholeNumber =
  (min: number, max: number) =>
  (raw: unknown): number | undefined => {
    const value = typeof raw === 'string' && /^\d+$/.test(raw) ? Number(raw) : raw;
    return typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max
      ? value
      : undefined;
  };

const duration =
  (minMs: number, maxMs: number, words: Readonly<Record<string, number>> = {}) =>
  (raw: unknown): number | undefined => {
    if (typeof raw !== 'string') return undefined;
    const ms = words[raw] ?? parseDurationMs(raw);
    return ms !== undefined && (ms === words[raw] || (ms >= minMs && ms <= maxMs)) ? ms : undefined;
  };

const flag = (raw: unknown): boolean | undefined => (typeof raw === 'boolean' ? raw : undefined);

const text = (raw: unknown): string | undefined => (typeof raw === 'string' && raw !== '' ? raw : undefined);

function httpUrl(raw: unknown): URL | undefined {
  if (typeof raw !== 'string' || !URL.canParse(raw)) return undefined;
  const url = new URL(raw);
  const plain = url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  return (url.protocol === 'http:' || url.protocol === 'https:') && plain ? url : undefined;
}

function rate(raw: unknown): number | undefined {
  const perSecond = typeof raw === 'string' ? parseRatePerSecond(raw) : undefined;
  return perSecond !== undefined && perSecond >= 0.01 && perSecond <= 1_000_000 ? perSecond : undefined;
}

export const visitorsMax = 1_000_000;

const dayMs = 86_400_000;

const rule = <Value>(
  fallback: Value,
  read: (raw: unknown) => Value | undefined,
  needs: string,
): Rule<Value> => ({
  fallback,
  read,
  needs,
});

const rules = {
  crowd: rule<unknown>(
    'shop',
    (raw) => (typeof raw === 'object' || Object.hasOwn(presets, String(raw)) ? raw : undefined),
    `${Object.keys(presets).join(', ')}, or a config file`,
  ),
  arrivals: rule<Arrivals | undefined>(
    undefined,
    readArrivals,
    'a rate from 0.01/s to 100000/s such as 50/s or uniform:50/s',
  ),
  stages: rule<readonly Stage[] | undefined>(
    undefined,
    readStages,
    'durations of at least 100ms and numbers up to 1000000, one above 0, such as 1m:1000,5m:5000,1m:0',
  ),
  curve: rule<Curve | undefined>(
    undefined,
    readCurve,
    'day or week, a peak above 1 up to 20 and how long a day takes if need be, such as day, week:3 or day:2,10m',
  ),
  spike: rule<readonly Spike[] | undefined>(
    undefined,
    readSpikes,
    'at=2m,x=5,for=10s, of at least 1s and at most 1000 times; several with ; between',
  ),
  warm: rule(false, flag, 'true or false'),
  visitors: rule(100, wholeNumber(1, visitorsMax), `a whole number from 1 to ${visitorsMax}`),
  duration: rule(
    60_000,
    duration(1000, 365 * dayMs, { forever: Number.POSITIVE_INFINITY }),
    'a duration of at least 1s such as 60s or 10m, or forever',
  ),
  seed: rule(1, wholeNumber(0, 4_294_967_295), 'a whole number from 0 to 4294967295'),
  heartbeat: rule(5000, duration(100, dayMs, { none: 0 }), 'a duration from 100ms to 1d such as 5s, or none'),
  ramp: rule(3000, rate, 'a rate such as 3000/s, from 0.01/s to 1000000/s'),
  target: rule<URL | undefined>(undefined, httpUrl, 'an http or https URL without user, query or fragment'),
  property: rule<PropertyName | undefined>(undefined, readProperty, 'two names such as account/property'),
  workers: rule(Math.max(1, availableParallelism() - 1), wholeNumber(1, 64), 'a whole number from 1 to 64'),
  connections: rule<number | undefined>(undefined, wholeNumber(1, 60_000), 'a whole number from 1 to 60000'),
  phase: rule<'spread' | 'sync'>(
    'spread',
    (raw) => (raw === 'spread' || raw === 'sync' ? raw : undefined),
    'spread or sync',
  ),
  json: rule<string | undefined>(undefined, text, 'a file name'),
  'log-clients': rule(1000, wholeNumber(0, 100_000), 'a whole number from 0 to 100000'),
  audit: rule(true, flag, 'true or false'),
  strict: rule(false, flag, 'true or false'),
  slo: rule<readonly Objective[]>(
    [],
    readObjectives,
    "objectives such as 'view.p99<50ms,error<0.1%' (docs/results.md)",
  ),
  'ledger-file': rule(true, flag, 'true or false'),
  timeout: rule(10_000, duration(10, dayMs), 'a duration from 10ms to 1d such as 10s'),
  durability: rule<'stored' | AskedDurability>(
    'stored',
    (raw) => ['stored' as const, ...askedDurabilities].find((one) => one === raw),
    'stored, fsynced or replicated',
  ),
  session: rule<string | null>(
    null,
    (raw) => (raw === null || raw === 'none' ? null : storeName(raw)),
    'the name of a session store such as stash, or none',
  ),
  'await-timeouts': rule(0, duration(1000, dayMs), 'a duration from 1s to 1d such as 60s'),
  'client-headers': rule<boolean | undefined>(undefined, flag, 'true or false'),
  drain: rule(30_000, duration(0, dayMs), 'a duration from 0s to 1d such as 30s'),
  'give-up': rule(
    60_000,
    duration(1000, dayMs, { never: Number.POSITIVE_INFINITY }),
    'a duration from 1s to 1d such as 60s, or never',
  ),
};

export type SimOptionName = keyof typeof rules;

export const simOptionNames = Object.keys(rules) as SimOptionName[];

/** The seed document's config keys; `server` is our `target`, `username` and `password` are in access-options.ts. */
export const configFileKeys: ReadonlySet<string> = new Set([
  ...simOptionNames,
  'server',
  'username',
  'password',
  'key',
]);

/**
 * Connections for so many visitors, if nobody says: one for each 125 of them, 64 to 512. 50,000 visitors who
 * beat every 5 s send 13,700 events a second; when an answer takes 10 ms, 137 of them are on their way at a time,
 * and a collector that pauses for some milliseconds must not make the others wait for a connection.
 */
function connectionsFor(visitors: number): number {
  return Math.min(512, Math.max(64, Math.ceil(visitors / 125)));
}

/** As the collector has it: 1 to 128 characters. */
function storeName(raw: unknown): string | undefined {
  return typeof raw === 'string' && raw.length >= 1 && raw.length <= limits.nameLengthMax ? raw : undefined;
}

function readProperty(raw: unknown): PropertyName | undefined {
  return typeof raw === 'string' ? parsePropertyName(raw) : undefined;
}

/**
 * Proves the options.
 * @param flags what was typed, under `--name`
 * @param file what the config file says; `fileName` for messages
 * @throws CrowdbeatError CB_OPTION naming the option, the rule and the value
 */
export function resolveSimOptions(
  flags: RawSimOptions,
  file: RawSimOptions = {},
  fileName = 'config',
): SimOptions {
  for (const name of Object.keys(file)) {
    if (!configFileKeys.has(name))
      throw new CrowdbeatError('CB_OPTION', `${fileName}: unknown key "${name}"`);
  }
  const fromFile = 'server' in file && !('target' in file) ? { ...file, target: file['server'] } : file;
  const value = <Name extends SimOptionName>(name: Name) => resolve(name, flags, fromFile, fileName);
  const access = resolveAccess(flags, file, fileName);
  const load: LoadOptions = {
    visitors: value('visitors'),
    arrivals: value('arrivals'),
    stages: value('stages'),
    curve: value('curve'),
    spikes: value('spike'),
    warm: value('warm'),
    rampPerSecond: value('ramp'),
  };
  const crowd = resolveCrowd(value('crowd'));
  const options: SimOptions = {
    ...load,
    crowd,
    loadPlan: loadPlanOf(load),
    durationMs: value('duration'),
    seed: value('seed'),
    heartbeatMs: value('heartbeat'),
    target: value('target'),
    property: value('property') ?? propertyOf(access) ?? defaultProperty,
    workers: value('workers'),
    connections: value('connections') ?? connectionsFor(visitorsMaxOf({ ...load, crowd })),
    phase: value('phase'),
    jsonFile: value('json'),
    logClients: value('log-clients'),
    audit: value('audit'),
    strict: value('strict'),
    objectives: value('slo'),
    ledgerFile: value('ledger-file'),
    requestTimeoutMs: value('timeout'),
    durability: value('durability'),
    sessionStore: value('session') ?? undefined,
    awaitTimeoutsMs: value('await-timeouts'),
    clientHeaders: value('client-headers') ?? value('target') === undefined,
    access,
    drainMs: value('drain'),
    giveUpMs: value('give-up'),
  };
  checkTogether(options);
  checkCrowd(options);
  checkObjectives(options.objectives, rowsOf(options.crowd));
  if (options.workers > options.connections) {
    throw new CrowdbeatError(
      'CB_OPTION',
      `--connections: needs at least one for each of the ${options.workers} workers, got ${options.connections}`,
    );
  }
  return options;
}

/** A preset by its name, or a config that was read from a file. */
function resolveCrowd(raw: unknown): CrowdConfig {
  return typeof raw === 'string' ? presetCrowd(raw) : readCrowd(raw);
}

/** What the crowd and the other options ask of each other. */
function checkCrowd({ crowd, heartbeatMs, sessionStore, arrivals }: SimOptions): void {
  const refuse = (message: string): CrowdbeatError => new CrowdbeatError('CB_OPTION', message);
  if (heartbeatMs > crowd.sessionMsMax) {
    const limits = `${crowd.sessionMsMax} ms of crowd.session.maxMs`;
    throw refuse(`--heartbeat: needs to be no longer than a visit, the ${limits}, got ${heartbeatMs} ms`);
  }
  if (sessionStore === undefined) return;
  if (arrivals !== undefined)
    throw refuse('--session: needs one visit at a time in each place, which --arrivals does not keep');
  if (!isQuiet(crowd.network) || crowd.network.clockSkew.share > 0)
    throw refuse(
      '--session: needs a crowd without crowd.network: nobody knows when a late heartbeat ends a session',
    );
}

/** Options that mean something only beside others. */
function checkTogether({ target, sessionStore, awaitTimeoutsMs, access, audit }: SimOptions): void {
  const refuse = (message: string): CrowdbeatError => new CrowdbeatError('CB_OPTION', message);
  if (awaitTimeoutsMs > 0 && sessionStore === undefined)
    throw refuse('--await-timeouts: needs --session: only sessions of a session store time out');
  if (target === undefined || access.key === undefined || access.username !== undefined) return;
  if (sessionStore !== undefined)
    throw refuse('--key: a publish key opens no session store: --session needs --username');
  if (audit)
    throw refuse('--key: a publish key answers no questions: the audit needs --username, or --no-audit');
}

type ValueOf<Name extends SimOptionName> = (typeof rules)[Name] extends Rule<infer Value> ? Value : never;

function resolve<Name extends SimOptionName>(
  name: Name,
  flags: RawSimOptions,
  file: RawSimOptions,
  fileName: string,
): ValueOf<Name> {
  const { fallback, read, needs } = rules[name] as unknown as Rule<ValueOf<Name>>;
  const [raw, place] =
    flags[name] !== undefined
      ? [flags[name], name === 'visitors' ? 'number of visitors' : `--${name}`]
      : [file[name], `${fileName}: "${name === 'target' && 'server' in file ? 'server' : name}"`];
  if (raw === undefined) return fallback;
  const value = read(raw);
  if (value === undefined) {
    throw new CrowdbeatError('CB_OPTION', `${place}: needs ${needs}, got ${JSON.stringify(raw)}`);
  }
  return value;
}

/** The options as plain JSON, for the result. */
export function describeOptions(options: SimOptions): Record<string, unknown> {
  return {
    ...options,
    durationMs: Number.isFinite(options.durationMs) ? options.durationMs : 'forever',
    giveUpMs: Number.isFinite(options.giveUpMs) ? options.giveUpMs : 'never',
    crowd: options.crowd,
    objectives: options.objectives.map((one) => one.text),
    target: options.target?.href ?? null,
    property: formatPropertyName(options.property),
    jsonFile: options.jsonFile ?? null,
    sessionStore: options.sessionStore ?? null,
    access: describeAccess(options.access),
  };
}
