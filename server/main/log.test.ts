import { describe, expect, it } from 'vitest';
import { ManualClock } from '../base/clock.ts';
import type { Log } from '../http/failure.ts';
import { type LogOptions, makeLog, readLogOptions, withoutSecrets } from './log.ts';

function logInto(lines: string[], options: LogOptions = {}): Log {
  const clock = new ManualClock(Date.UTC(2026, 10, 21, 12, 30, 20));
  return makeLog({ ...options, clock, write: (line) => lines.push(line) });
}

const secrets = ['T0ken', 'Basic QWxhZGRpbg==', 'pk_live_1', 'sid=5ecret'];
const request = {
  method: 'POST',
  url: '/write?property=a/b&key=pk_live_1',
  headers: {
    'user-agent': 'curl/8',
    'm1-auth-token': 'T0ken',
    authorization: 'Basic QWxhZGRpbg==',
    'x-crowdbeat-key': 'pk_live_1',
    cookie: 'sid=5ecret',
  },
};

describe('the text log', () => {
  it('writes a line as it always did, and names the request if there is one', () => {
    const lines: string[] = [];
    const log = logInto(lines);
    log('worker 1 ended');
    log('POST /write: broken', { level: 'error', requestId: 'r-1' });
    expect(lines).toEqual(['crowdbeat: worker 1 ended\n', 'crowdbeat: POST /write: broken (request r-1)\n']);
  });

  it('leaves out what is below its level', () => {
    const lines: string[] = [];
    const log = logInto(lines, { level: 'error' });
    log('a warning');
    log('an error', { level: 'error' });
    expect(lines).toEqual(['crowdbeat: an error\n']);
  });
});

describe('the JSON log', () => {
  it('writes one object a line, with time, level and request', () => {
    const lines: string[] = [];
    logInto(lines, { format: 'json' })('GET /count: broken', { level: 'error', requestId: 'r-1', request });
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      level: 'error',
      time: '2026-11-21T12:30:20.000Z',
      pid: process.pid,
      msg: 'GET /count: broken',
      requestId: 'r-1',
      request: { method: 'POST', headers: { 'user-agent': 'curl/8', cookie: '[redacted]' } },
    });
    expect(lines[0]?.endsWith('\n')).toBe(true);
  });

  it('leaves out what is below its level', () => {
    const lines: string[] = [];
    const log = logInto(lines, { format: 'json', level: 'warn' });
    log('started', { level: 'info' });
    log('a warning');
    expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual(['a warning']);
  });
});

describe('secrets', () => {
  it.each(['text', 'json'] as const)('are in no %s line, whatever of a request is logged', (format) => {
    const lines: string[] = [];
    const message =
      'GET /track?key=pk_live_1&x=1: authorization "Bearer T0ken.T0ken", token=T0ken password=T0ken';
    logInto(lines, { format, level: 'debug' })(message, { level: 'error', request });
    expect(lines).toHaveLength(1);
    for (const secret of secrets) expect([secret, lines[0]?.includes(secret)]).toEqual([secret, false]);
    expect(lines[0]).toContain('key=[redacted]&x=1');
  });

  it('end where a parameter ends, and words that only look alike stay', () => {
    expect(withoutSecrets('/a?key=1&keys=2&monkey=3#x')).toBe('/a?key=[redacted]&keys=2&monkey=3#x');
  });
});

it.each([
  [['xml', undefined], /^--log-format: needs text or json, got "xml"$/],
  [['text', 'loud'], /^--log-level: needs debug or info or warn or error, got "loud"$/],
] as const)('%j is refused by name', ([format, level], message) => {
  expect(() => readLogOptions(format, level)).toThrow(message);
  expect(readLogOptions('json', 'warn')).toEqual({ format: 'json', level: 'warn' });
});
