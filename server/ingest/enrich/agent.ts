/**
 * What a User-Agent says: browser, system, kind of device, and whether it is a bot. The work of two libraries,
 * bowser and isbot, about 25 us together; so the answers are remembered, with the JSON that documents get.
 */
import Bowser from 'bowser';
import { isbot } from 'isbot';
import { RecentMap } from '../../store/recent-map.ts';

export interface AgentFacts {
  readonly isBot: boolean;
  /** `,"ua":{…}` */
  readonly json: string;
}

/** No browser's is longer; of a longer one the beginning says all there is. Bounds the work and the memory. */
export const agentLengthMax = 512;
const agentsRemembered = 4096;

/**
 * Programs that report for others: a back end that posts its events by curl or with its language's HTTP client is
 * no visitor, let alone a crawler, and would find its events under `bots`. isbot takes them for bots, as what
 * they are when they fetch pages; here nobody fetches pages.
 */
const clientLibraries = new Set(
  [
    'curl wget httpie node undici axios node-fetch got python-requests python-urllib python-httpx aiohttp',
    'go-http-client okhttp java apache-httpclient ruby faraday guzzlehttp postmanruntime insomnia k6 vegeta hey',
    'autocannon crowdbeat',
  ].flatMap((names) => names.split(' ')),
);
const nameAndVersion = /^([a-z\d-]+)(?:[/ ][\w.+-]*)?$/i;

function isClientLibrary(agent: string): boolean {
  return clientLibraries.has(nameAndVersion.exec(agent)?.[1]?.toLowerCase() ?? '');
}

export class Agents {
  readonly #known = new RecentMap<string, AgentFacts>(agentsRemembered);

  facts(agent: string): AgentFacts {
    const known = this.#known.get(agent);
    if (known !== undefined) return known;
    // A part of a long text keeps the whole of it alive, a copy does not.
    const text = agent.length <= agentLengthMax ? agent : copyOf(agent.slice(0, agentLengthMax));
    const facts = text === agent ? readAgent(text) : (this.#known.get(text) ?? readAgent(text));
    this.#known.set(text, facts);
    return facts;
  }
}

function readAgent(agent: string): AgentFacts {
  const isBot = isbot(agent) && !isClientLibrary(agent);
  const { browser, os, platform } = Bowser.parse(agent);
  const ua = {
    ...(browser.name ? { family: browser.name } : {}),
    ...(os.name ? { os: os.name } : {}),
    ...(isBot ? { device: 'bot' } : platform.type ? { device: platform.type } : {}),
    bot: isBot,
  };
  return { isBot, json: `,"ua":${JSON.stringify(ua)}` };
}

const copyOf = (text: string): string => Buffer.from(text, 'utf16le').toString('utf16le');
