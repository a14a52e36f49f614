/**
 * The rows of a crowd's ledger, by act kind: the event types that it sends, and what its bots send as rows of
 * their own, since the collector counts bots apart.
 *
 *   kind   0             1     2          3      4       5 ...                 then
 *   row    sessionStart  view  heartbeat  click  signup  bot:sessionStart ...
 */
import { eventTypes } from './visitor.ts';

const botPrefix = 'bot:';

export const botRow = (type: string): string => `${botPrefix}${type}`;

export const isBotRow = (row: string): boolean => row.startsWith(botPrefix);

/** The `event.type` that a row's events carry. */
export const wireType = (row: string): string => (isBotRow(row) ? row.slice(botPrefix.length) : row);

/**
 * @param further event types beside the three of every visit, in any order, repeated or not
 * @param hasBots bots send the three of every visit and nothing else
 */
export function crowdRows(further: readonly string[], hasBots: boolean): string[] {
  const types = [...new Set([...eventTypes, ...further])];
  return hasBots ? [...types, ...eventTypes.map(botRow)] : types;
}
