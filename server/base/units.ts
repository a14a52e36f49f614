/** Durations and rates as people type them. Outside text becomes a number here, at the door. */

const msPerUnit: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `5s`, `250ms`, `1.5m`, `2h`, `30d` to milliseconds; undefined if the text is no duration. */
export function parseDurationMs(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text.trim());
  if (match === null) return undefined;
  const ms = Number(match[1]) * (msPerUnit[match[2] ?? ''] ?? Number.NaN);
  return Number.isFinite(ms) ? ms : undefined;
}

/** `3000/s`, `50/m`, `10/ms` to events per second; undefined if the text is no rate. */
export function parseRatePerSecond(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\/(ms|s|m|h|d)$/.exec(text.trim());
  if (match === null) return undefined;
  const rate = (Number(match[1]) * 1000) / (msPerUnit[match[2] ?? ''] ?? Number.NaN);
  return Number.isFinite(rate) ? rate : undefined;
}

/** Milliseconds for people: `850 ms`, `12.5 s`, `3m 05s`, `2h 10m`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${Number((ms / 1000).toFixed(1))} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${String(seconds % 60).padStart(2, '0')}s`;
  return `${Math.floor(seconds / 3600)}h ${String(Math.floor((seconds % 3600) / 60)).padStart(2, '0')}m`;
}

/** Whole numbers for people: `12,345`. */
export function formatCount(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** Latency in milliseconds for people, three significant digits: `0.412 ms`, `12.3 ms`, `1.25 s`. */
export function formatLatencyMs(ms: number): string {
  if (ms >= 1000) return `${Number((ms / 1000).toPrecision(3))} s`;
  return `${Number(ms.toPrecision(3))} ms`;
}
