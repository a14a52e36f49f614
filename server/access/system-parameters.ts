/** The parameters of an account: their names, what they may be, and what they are unless somebody sets them. */
import { parseDurationMs } from '../base/units.ts';
import { passwordLengthMax } from './password.ts';

interface Parameter {
  /** As replies show it. Undefined: the collector's own option decides. */
  readonly initial: number | string | undefined;
  readonly rule: string;
  /** The value as it is kept, or undefined if it is none. */
  readonly read: (text: string) => string | undefined;
}

const dayMs = 86_400_000;
export const tokenTtlMsMax = 366 * dayMs;
export const tokenTtlMsMin = 1000;

const wholeNumber = (min: number, max: number) => ({
  rule: `a whole number from ${min} to ${max}`,
  read: (text: string) =>
    /^\d{1,15}$/.test(text) && Number(text) >= min && Number(text) <= max ? String(Number(text)) : undefined,
});

/** Kept as milliseconds, or `forever`. */
const retention: Parameter = {
  initial: undefined,
  rule: 'a duration of at least a minute such as 90d, milliseconds, or forever',
  read: (text) => {
    if (text === 'forever') return text;
    const ms = /^\d{1,15}$/.test(text) ? Number(text) : parseDurationMs(text);
    return ms !== undefined && ms >= 60_000 && ms <= 36_500 * dayMs ? String(Math.round(ms)) : undefined;
  },
};

const onOff: Readonly<Record<string, string>> = { on: 'on', true: 'on', off: 'off', false: 'off' };

const parameters: Readonly<Record<string, Parameter>> = {
  'token-expire-ms': { initial: dayMs, ...wholeNumber(tokenTtlMsMin, tokenTtlMsMax) },
  'password-min-length': { initial: 8, ...wholeNumber(1, passwordLengthMax) },
  geo: {
    initial: 'on',
    rule: 'on or off',
    read: (text) => (Object.hasOwn(onOff, text) ? onOff[text] : undefined),
  },
  'retention-minute': retention,
  'retention-hour': retention,
  'retention-day': retention,
  'retention-month': retention,
  'retention-year': retention,
  'retention-session': retention,
  'retention-events': retention,
};

/** Known to others, and not settable here. */
const refused: Readonly<Record<string, string>> = {
  'publish-permissive':
    'publish-permissive: every event is checked one by one and the good ones are kept; that can’t be switched',
};

export const parameterNames: readonly string[] = Object.keys(parameters);
export const refusedParameterNames: readonly string[] = Object.keys(refused);

/** The value as it is kept, or why it isn't. */
export function readParameter(
  name: string,
  text: string,
): { readonly value: string } | { readonly rule: string } {
  if (Object.hasOwn(refused, name)) return { rule: refused[name] as string };
  const parameter = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
  if (parameter === undefined)
    return { rule: `unknown parameter "${name.slice(0, 100)}"; known: ${parameterNames.join(', ')}` };
  const value = parameter.read(text.trim());
  return value === undefined
    ? { rule: `${name}: needs ${parameter.rule}, got "${text.slice(0, 100)}"` }
    : { value };
}

/** As replies show it: numbers as numbers. */
export function shownParameter(name: string, system: ReadonlyMap<string, string>): number | string | null {
  const kept = system.get(name);
  if (kept === undefined) return parameters[name]?.initial ?? null;
  return /^\d+$/.test(kept) ? Number(kept) : kept;
}

export const tokenTtlMs = (system: ReadonlyMap<string, string>): number =>
  Number(shownParameter('token-expire-ms', system));

export const passwordLengthMin = (system: ReadonlyMap<string, string>): number =>
  Number(shownParameter('password-min-length', system));
