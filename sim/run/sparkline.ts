/** A curve in one line of text, from eighth blocks (U+2581 to U+2588). */
const blocks = '▁▂▃▄▅▆▇█';

/** The last `width` values, scaled from 0 to their maximum; an empty text for no values. */
export function sparkline(values: readonly number[], width: number): string {
  const shown = values.slice(-width);
  const max = Math.max(...shown, 0);
  if (max === 0) return (blocks[0] ?? '').repeat(shown.length);
  return shown
    .map((value) => blocks[Math.min(7, Math.floor((Math.max(0, value) / max) * 7.999))] ?? '')
    .join('');
}
