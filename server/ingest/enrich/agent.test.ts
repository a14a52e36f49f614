import { describe, expect, it } from 'vitest';
import { Agents, agentLengthMax } from './agent.ts';

const agents = new Agents();
const ua = (agent: string): Record<string, unknown> =>
  JSON.parse(`{${agents.facts(agent).json.slice(1)}}`).ua;

const chrome =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36';
const iphone =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1';
const googlebot = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)';

describe('Agents', () => {
  it('tells browser, system and kind of device', () => {
    expect(ua(chrome)).toEqual({ family: 'Chrome', os: 'Windows', device: 'desktop', bot: false });
    expect(ua(iphone)).toEqual({ family: 'Safari', os: 'iOS', device: 'mobile', bot: false });
  });

  it.each([
    googlebot,
    chrome.replace('Chrome/', 'HeadlessChrome/'),
    'facebookexternalhit/1.1',
    'AhrefsBot/7.0',
  ])('flags the bot %s', (agent) => {
    expect(agents.facts(agent).isBot).toBe(true);
    expect(ua(agent)).toMatchObject({ device: 'bot', bot: true });
  });

  it.each([
    'curl/8.5.0',
    'node',
    'python-requests/2.32',
    'Go-http-client/1.1',
    'axios/1.7.2',
    'okhttp/4.12.0',
  ])('takes %s for a program that reports for others, no bot', (agent) => {
    expect(agents.facts(agent).isBot).toBe(false);
  });

  it.each(['curl/8.5.0 (compatible; Googlebot/2.1)', 'nodebot/1.0', 'Mozilla/5.0 curl/8'])(
    'is not talked into that by %s',
    (agent) => {
      expect(agents.facts(agent).isBot).toBe(true);
    },
  );

  it('leaves out what it does not know', () => {
    expect(ua('(something) else entirely; rv')).not.toHaveProperty('family');
  });

  it('reads 10 KB of agent by its beginning, and remembers no more of it', () => {
    const long = `${chrome} ${'x'.repeat(10_240)}`;
    expect(ua(long)).toMatchObject({ family: 'Chrome', bot: false });
    expect(agents.facts(long)).toBe(agents.facts(long.slice(0, agentLengthMax)));
    expect(ua(`${long} Googlebot`)).toMatchObject({ bot: false });
  });

  it('writes JSON whatever the agent holds', () => {
    for (const agent of ['"}', '\\', '\u0000', 'Ünïcode/1', '"},"geo":{"'])
      expect(Object.keys(ua(agent))).toContain('bot');
  });

  it('parses an agent once', () => {
    expect(agents.facts(iphone)).toBe(agents.facts(iphone.slice(0)));
  });
});
