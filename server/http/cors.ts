/** `/system/cors/add remove list`: the hosts and origins whose pages may send to a property. */
import type { Gate } from '../access/authorize.ts';
import { normalEntry, originRule } from '../access/origin.ts';
import { AccountStore } from '../store/accounts-state.ts';
import type { RedisConnection } from '../store/connection.ts';
import type { Answer } from './answer.ts';
import type { Log } from './failure.ts';
import type { Route } from './router.ts';
import { noContent, postRoute, refuse, tellingRoutes, type VerbRequest } from './verb-route.ts';

export interface CorsRoutesOptions {
  readonly connection: RedisConnection;
  readonly gate: Gate;
  readonly log: Log;
}

const entriesMax = 1000;

export function corsRoutes({ connection, gate, log }: CorsRoutesOptions): Route[] {
  const store = new AccountStore(connection);
  const known = ['domains'];
  const change = (
    path: string,
    one: (account: string, property: string, entry: string) => Promise<unknown>,
  ): Route => {
    const answer = async ({ grant, fields }: VerbRequest): Promise<Answer> => {
      const { account, property } = grant.property;
      const entries = readDomains(fields.get('domains') ?? '');
      if (typeof entries === 'string') return refuse(400, 'bad_parameter', entries);
      const present = (await gate.state(account)).origins.get(property)?.length ?? 0;
      if (path.endsWith('add') && present + entries.length > entriesMax)
        return refuse(400, 'too_many', `a property lets in at most ${entriesMax} hosts and origins`);
      for (const entry of entries) await one(account, property, entry);
      gate.forget(account);
      return noContent;
    };
    return postRoute({ path, right: 'admin', known, answer }, log);
  };
  const list = async ({ grant }: VerbRequest): Promise<Answer> => {
    const { origins } = await store.read(grant.property.account);
    return { status: 200, json: JSON.stringify(origins.get(grant.property.property) ?? []) };
  };
  return [
    change('/system/cors/add', (...entry) => store.addOrigin(...entry)),
    change('/system/cors/remove', (...entry) => store.removeOrigin(...entry)),
    ...tellingRoutes({ path: '/system/cors/list', right: 'admin', known: [], answer: list }, log),
  ];
}

/** One, several with commas between them, or a JSON list; the rule that was broken as a text. */
function readDomains(text: string): readonly string[] | string {
  let domains: unknown = text.split(',');
  if (text.trimStart().startsWith('[')) {
    try {
      domains = JSON.parse(text);
    } catch {
      // SyntaxError is all that JSON.parse throws.
      return 'domains: is no JSON list';
    }
  }
  const entries: string[] = [];
  for (const domain of domains as unknown[]) {
    const entry = typeof domain === 'string' ? normalEntry(domain) : undefined;
    if (entry === undefined)
      return `domains: needs ${originRule}, got ${JSON.stringify(domain)?.slice(0, 300)}`;
    entries.push(entry);
  }
  return entries;
}
