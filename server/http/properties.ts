/** `/property/add remove list` and `/property/key`: an account's properties, and the publish keys of each. */
import { believedMs, type Gate } from '../access/authorize.ts';
import { isPropertyName, nameRule } from '../access/names.ts';
import { hashOf, newPublishKey } from '../access/secrets.ts';
import type { Clock } from '../base/clock.ts';
import { AccountStore, type PublishKeyRecord } from '../store/accounts-state.ts';
import type { RedisConnection } from '../store/connection.ts';
import { deleteProperty } from '../store/delete-property.ts';
import type { Answer } from './answer.ts';
import type { Log } from './failure.ts';
import type { Route } from './router.ts';
import { noContent, postRoute, refuse, tellingRoutes, type VerbRequest } from './verb-route.ts';

export interface PropertyRoutesOptions {
  readonly connection: RedisConnection;
  readonly gate: Gate;
  readonly clock: Clock;
  readonly log: Log;
}

const propertiesMax = 10_000;
const keysMax = 100;
const hintLength = 10;

export function propertyRoutes(options: PropertyRoutesOptions): Route[] {
  const { log } = options;
  const verbs = new PropertyVerbs(options);
  const account = { right: 'admin', scope: 'account', known: ['name'] } as const;
  const key = { right: 'admin', known: [] } as const;
  return [
    postRoute({ ...account, path: '/property/add', answer: (asked) => verbs.add(asked) }, log),
    postRoute({ ...account, path: '/property/remove', answer: (asked) => verbs.remove(asked) }, log),
    ...tellingRoutes(
      { ...account, known: [], path: '/property/list', answer: (asked) => verbs.list(asked) },
      log,
    ),
    postRoute({ ...key, path: '/property/key', answer: (asked) => verbs.addKey(asked) }, log),
    postRoute({ ...key, path: '/property/key/rotate', answer: (asked) => verbs.rotateKey(asked) }, log),
    postRoute(
      { ...key, known: ['hint'], path: '/property/key/remove', answer: (asked) => verbs.removeKey(asked) },
      log,
    ),
    ...tellingRoutes({ ...key, path: '/property/key/list', answer: (asked) => verbs.listKeys(asked) }, log),
  ];
}

class PropertyVerbs {
  readonly #store: AccountStore;
  readonly #connection: RedisConnection;
  readonly #gate: Gate;
  readonly #clock: Clock;

  constructor({ connection, gate, clock }: PropertyRoutesOptions) {
    this.#store = new AccountStore(connection);
    this.#connection = connection;
    this.#gate = gate;
    this.#clock = clock;
  }

  async add({ grant, fields }: VerbRequest): Promise<Answer> {
    const { account } = grant.property;
    const name = fields.get('name') ?? '';
    if (!isPropertyName(name)) return badName;
    if ((await this.#store.read(account)).properties.size >= propertiesMax)
      return refuse(400, 'too_many', `an account has at most ${propertiesMax} properties`);
    const isNew = await this.#store.addProperty(account, name, this.#clock.wallMs());
    this.#gate.forget(account);
    return isNew
      ? noContent
      : refuse(409, 'property_exists', 'the account has a property of this name already');
  }

  /** Its data goes when every collector has learnt that nothing may be written to it any more. */
  async remove({ grant, fields }: VerbRequest): Promise<Answer> {
    const { account } = grant.property;
    const property = fields.get('name') ?? '';
    if (!(await this.#store.removeProperty(account, property))) return unknown;
    this.#gate.forget(account);
    await new Promise((resolve) => setTimeout(resolve, believedMs + 100));
    await deleteProperty(this.#connection, { account, property });
    return noContent;
  }

  async list({ grant }: VerbRequest): Promise<Answer> {
    const { properties } = await this.#store.read(grant.property.account);
    return { status: 200, json: JSON.stringify([...properties].sort()) };
  }

  async addKey({ grant }: VerbRequest): Promise<Answer> {
    const { account, property } = grant.property;
    if ((await this.#keysOf(grant.property)).length >= keysMax)
      return refuse(400, 'too_many', `a property has at most ${keysMax} publish keys; remove some`);
    const key = newPublishKey(grant.property);
    const hint = key.slice(0, hintLength);
    const createdMs = this.#clock.wallMs();
    await this.#store.addPublishKey(account, hashOf(key), { property, hint, createdMs });
    this.#gate.forget(account);
    return {
      status: 200,
      json: JSON.stringify({ key, hint, createdMs }),
      headers: ['cache-control', 'no-store'],
    };
  }

  /** A new key, and no other is worth anything from then on. */
  async rotateKey(asked: VerbRequest): Promise<Answer> {
    const old = await this.#keysOf(asked.grant.property);
    await this.#removeKeys(asked.grant.property.account, old);
    return this.addKey(asked);
  }

  async removeKey({ grant, fields }: VerbRequest): Promise<Answer> {
    const keys = await this.#keysOf(grant.property);
    const meant = keys.filter(([, { hint }]) => hint === fields.get('hint'));
    if (meant.length === 0)
      return refuse(404, 'unknown_key', 'the property has no publish key with this hint');
    await this.#removeKeys(grant.property.account, meant);
    return noContent;
  }

  async listKeys({ grant }: VerbRequest): Promise<Answer> {
    const keys = await this.#keysOf(grant.property);
    const shown = keys.map(([, { hint, createdMs }]) => ({ hint, createdMs }));
    return { status: 200, json: JSON.stringify(shown.sort((a, b) => a.createdMs - b.createdMs)) };
  }

  async #keysOf(name: {
    readonly account: string;
    readonly property: string;
  }): Promise<[hash: string, record: PublishKeyRecord][]> {
    const { publishKeys } = await this.#store.read(name.account);
    return [...publishKeys].filter(([, { property }]) => property === name.property);
  }

  async #removeKeys(account: string, keys: readonly (readonly [hash: string, unknown])[]): Promise<void> {
    await this.#store.removePublishKeys(
      account,
      keys.map(([hash]) => hash),
    );
    this.#gate.forget(account);
  }
}

const badName = refuse(400, 'bad_parameter', `name: needs ${nameRule}, and is not "*"`);
const unknown = refuse(404, 'unknown_property', 'the account has no property of this name');
