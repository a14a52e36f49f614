/** `/system` and `/system/PARAMETER`: the parameters of an account, for its admins. */
import type { Gate } from '../access/authorize.ts';
import {
  parameterNames,
  readParameter,
  refusedParameterNames,
  shownParameter,
} from '../access/system-parameters.ts';
import { AccountStore } from '../store/accounts-state.ts';
import type { RedisConnection } from '../store/connection.ts';
import type { Answer } from './answer.ts';
import type { Log } from './failure.ts';
import type { Route } from './router.ts';
import { getRoute, noContent, postRoute, refuse, type VerbRequest } from './verb-route.ts';

export interface SystemRoutesOptions {
  readonly connection: RedisConnection;
  readonly gate: Gate;
  readonly log: Log;
}

const admin = { right: 'admin', scope: 'account' } as const;

export function systemRoutes(options: SystemRoutesOptions): Route[] {
  const { gate, log } = options;
  const store = new AccountStore(options.connection);
  const set = (asked: VerbRequest, given: readonly (readonly [string, string])[]): Promise<Answer> =>
    setParameters(store, gate, asked.grant.property.account, given);
  const ofOne = (name: string): Route[] => {
    const path = `/system/${name}`;
    const post = { ...admin, path, known: ['value'] };
    const tell = async ({ grant }: VerbRequest): Promise<Answer> => {
      const { system } = await gate.state(grant.property.account);
      return { status: 200, json: JSON.stringify(shownParameter(name, system)) };
    };
    return [
      getRoute({ ...admin, path, known: [], answer: tell }, log),
      postRoute({ ...post, answer: (asked) => set(asked, [[name, asked.fields.get('value') ?? '']]) }, log),
    ];
  };
  const all = [...parameterNames, ...refusedParameterNames];
  return [
    getRoute({ ...admin, path: '/system', known: [], answer: (asked) => tellAll(gate, asked) }, log),
    postRoute({ ...admin, path: '/system', known: all, answer: (asked) => set(asked, given(asked)) }, log),
    ...all.flatMap(ofOne),
  ];
}

const given = ({ fields }: VerbRequest): [string, string][] =>
  [...fields].filter(([name]) => name !== 'property');

async function tellAll(gate: Gate, { grant }: VerbRequest): Promise<Answer> {
  const { account, property } = grant.property;
  const { system, origins } = await gate.state(account);
  const parameters = Object.fromEntries(parameterNames.map((name) => [name, shownParameter(name, system)]));
  return { status: 200, json: JSON.stringify({ cors: origins.get(property) ?? [], ...parameters }) };
}

/** All or none. */
async function setParameters(
  store: AccountStore,
  gate: Gate,
  account: string,
  asked: readonly (readonly [string, string])[],
): Promise<Answer> {
  const values: [string, string][] = [];
  for (const [name, text] of asked) {
    const read = readParameter(name, text);
    if ('rule' in read) return refuse(400, 'bad_parameter', read.rule);
    values.push([name, read.value]);
  }
  for (const [name, value] of values) await store.setParameter(account, name, value);
  gate.forget(account);
  return noContent;
}
