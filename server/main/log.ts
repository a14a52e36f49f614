/**
 * What the collector tells its operator: lines for people, or one JSON object a line for programs. The only file
 * that knows pino. Everything goes to stderr, at once: a process that is about to die must not keep its last words.
 *
 * Secrets have no business in a log: the headers that carry them are replaced, and so are `key=`, `token=` and
 * `password=` wherever they stand in a line or a URL.
 */
import { pino } from 'pino';
import { type Clock, systemClock } from '../base/clock.ts';
import { CrowdbeatError } from '../base/errors.ts';
import type { Log, LogDetails, LogLevel } from '../http/failure.ts';

export const logFormats = ['text', 'json'] as const;
export type LogFormat = (typeof logFormats)[number];

/** From the most to the least. */
export const logLevels = ['debug', 'info', 'warn', 'error'] as const satisfies readonly LogLevel[];

export interface LogOptions {
  /** Default text. */
  readonly format?: LogFormat | undefined;
  /** The least that is told. Default info. */
  readonly level?: LogLevel | undefined;
  /** Takes each line, its line break included. Default: stderr. */
  readonly write?: (line: string) => void;
  readonly clock?: Clock;
}

const secretHeaders = [
  'm1-auth-token',
  'authorization',
  'proxy-authorization',
  'x-crowdbeat-key',
  'cookie',
  'set-cookie',
];
const censor = '[redacted]';
const secretParameter = /\b((?:key|token|password|m1-auth-token|access_token)=)[^&\s"'#]*/gi;
/** `Bearer abc`, `Basic abc`: should a header ever be quoted in a message. */
const secretScheme = /\b((?:Bearer|Basic) )[\w.~+/=-]{6,}/gi;

/** A text without what would let its reader in. */
export function withoutSecrets(text: string): string {
  return text.replace(secretParameter, `$1${censor}`).replace(secretScheme, `$1${censor}`);
}

/** A line without a level is a warning: somebody found it worth a line. */
export function makeLog(options: LogOptions = {}): Log {
  const { write = (line) => void process.stderr.write(line) } = options;
  const level = options.level ?? 'info';
  return options.format === 'json'
    ? jsonLog(level, write, options.clock ?? systemClock)
    : textLog(level, write);
}

function textLog(least: LogLevel, write: (line: string) => void): Log {
  const rank = logLevels.indexOf(least);
  return (line, { level = 'warn', requestId } = {}) => {
    if (logLevels.indexOf(level) < rank) return;
    const request = requestId === undefined ? '' : ` (request ${requestId})`;
    write(`crowdbeat: ${withoutSecrets(line)}${request}\n`);
  };
}

function jsonLog(level: LogLevel, write: (line: string) => void, clock: Clock): Log {
  const logger = pino(
    {
      level,
      base: { pid: process.pid },
      formatters: { level: (label) => ({ level: label }) },
      timestamp: () => `,"time":"${new Date(clock.wallMs()).toISOString()}"`,
      redact: { paths: secretHeaders.map((name) => `request.headers["${name}"]`), censor },
    },
    { write },
  );
  return (line, details = {}) => {
    logger[details.level ?? 'warn'](jsonFields(details), withoutSecrets(line));
  };
}

function jsonFields({ requestId, request }: LogDetails): object {
  if (request === undefined) return requestId === undefined ? {} : { requestId };
  return { requestId, request: { ...request, url: withoutSecrets(request.url) } };
}

/** Throws CB_OPTION naming the option, the rule and the value. */
export function readLogOptions(
  format: string | undefined,
  level: string | undefined,
): Required<Pick<LogOptions, 'format' | 'level'>> {
  return {
    format: oneOf('--log-format', logFormats, format ?? 'text'),
    level: oneOf('--log-level', logLevels, level ?? 'info'),
  };
}

function oneOf<Choice extends string>(option: string, choices: readonly Choice[], text: string): Choice {
  const choice = choices.find((one) => one === text);
  if (choice !== undefined) return choice;
  throw new CrowdbeatError(
    'CB_OPTION',
    `${option}: needs ${choices.join(' or ')}, got ${JSON.stringify(text)}`,
  );
}
