/** Heartbeats as a crowd sends them, with what the collector adds; the same for the same number. */
import type { EventRecord } from '../../store/event-record.ts';

export interface HeartbeatOptions {
  readonly visitors: number;
  /** Each visitor has an address and a place; otherwise all come from the same machine, as a simulated crowd does. */
  readonly isSpread: boolean;
}

const startMs = Date.UTC(2026, 10, 21, 12, 30, 0);
const beatMs = 5000;

/** A number from 0 up to 2^32, scattered; Wellons' lowbias32. */
function scatter(n: number): number {
  let x = n | 0;
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  return (x ^ (x >>> 15)) >>> 0;
}

function uuidOf(kind: number, n: number): string {
  const hex = [1, 2, 3, 4].map((i) =>
    scatter(scatter(n * 8 + i) + kind)
      .toString(16)
      .padStart(8, '0'),
  );
  const all = hex.join('');
  return `${all.slice(0, 8)}-${all.slice(8, 12)}-4${all.slice(13, 16)}-a${all.slice(17, 20)}-${all.slice(20)}`;
}

const agents = ['Chrome', 'Safari', 'Firefox', 'Edge', 'Samsung Internet'];
const systems = ['Windows', 'macOS', 'iOS', 'Android', 'Linux'];
const devices = ['desktop', 'mobile', 'tablet'];
const pick = (list: readonly string[], n: number): string => list[n % list.length] as string;

/** Small numbers often, large ones seldom: half of all below the square root of `count`. */
const skewed = (n: number, count: number): number => Math.floor(count ** (scatter(n) / 2 ** 32)) - 1;

function placeOf(visitor: number): object {
  const city = skewed(visitor * 3 + 1, 400);
  return {
    country_iso_code: pick(['DE', 'FR', 'US', 'GB', 'NL', 'ES'], city),
    subdivision_1_iso_code: `R${city % 60}`,
    city_name: `Town of ${scatter(city).toString(36)}`,
    time_zone: pick(['Europe/Berlin', 'Europe/Paris', 'America/New_York', 'Europe/London'], city),
    latitude: Math.round(scatter(city) / 50_000) / 1000,
    longitude: Math.round(scatter(city + 1) / 50_000) / 1000,
  };
}

/** The n-th heartbeat of the crowd: visitors beat one after the other, in an order of their own. */
export function heartbeat(n: number, { visitors, isSpread }: HeartbeatOptions): EventRecord {
  const visitor = n % visitors;
  const round = Math.floor(n / visitors);
  const lateMs = 1 + skewed(n * 5 + 2, 30);
  const timeMs = startMs + round * beatMs + Math.floor((visitor / visitors) * beatMs);
  const visitorId = uuidOf(1, visitor);
  const sessionId = uuidOf(2, visitor);
  const sessionStartMs = timeMs - (scatter(visitor) % 300_000);
  const seq = 1 + round + (scatter(visitor + 7) % 60);
  const pageNumber = 1 + skewed(n * 7 + 3, 480);
  const pagePath = `/product/${pageNumber}`;
  const page = { url: `https://shop.example${pagePath}`, path: pagePath, title: `Product ${pageNumber}` };
  const ip = isSpread
    ? [24, 16, 8, 0].map((bits) => (scatter(visitor + 9) >>> bits) & 255).join('.')
    : '127.0.0.1';
  const json = JSON.stringify({
    event: { type: 'heartbeat', time: timeMs, seq },
    session: { id: sessionId, start: sessionStartMs },
    visitor: { id: visitorId },
    tab: { id: '1' },
    page,
    _m1: {
      receivedUTC: timeMs + lateMs,
      ip,
      geo: placeOf(visitor),
      ua: {
        family: pick(agents, skewed(visitor + 11, 5)),
        os: pick(systems, skewed(visitor + 12, 5)),
        device: pick(devices, skewed(visitor + 13, 3)),
      },
    },
  });
  return {
    type: 'heartbeat',
    timeMs,
    visitorId,
    sessionId,
    sessionStartMs,
    tabId: '1',
    seq,
    eventId: undefined,
    source: undefined,
    campaign: undefined,
    pagePath,
    userId: undefined,
    isBot: false,
    json,
  };
}
