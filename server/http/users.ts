/** `/user/add update remove get list password`: the users of an account, for its admins. */
import type { Gate, Grant } from '../access/authorize.ts';
import { isUserName, nameRule } from '../access/names.ts';
import { type PasswordHasher, passwordLengthMax } from '../access/password.ts';
import { passwordLengthMin } from '../access/system-parameters.ts';
import { hasAccountRight, parseRights, type Rights, shownRights } from '../protocol/rights.ts';
import { type StoredUser, type UserChange, UserStore } from '../store/accounts.ts';
import type { RedisConnection } from '../store/connection.ts';
import type { Answer } from './answer.ts';
import type { Log } from './failure.ts';
import type { Parameters } from './query-string.ts';
import type { Route } from './router.ts';
import { noContent, postRoute, refuse, tellingRoutes, type VerbRequest } from './verb-route.ts';

export interface UserRoutesOptions {
  readonly connection: RedisConnection;
  readonly gate: Gate;
  readonly hasher: PasswordHasher;
  readonly log: Log;
}

const admin = { right: 'admin', scope: 'account' } as const;

export function userRoutes(options: UserRoutesOptions): Route[] {
  const { log } = options;
  const verbs = new UserVerbs(options);
  return [
    postRoute(
      {
        ...admin,
        path: '/user/add',
        known: ['username', 'password', 'rights'],
        answer: (asked) => verbs.add(asked),
      },
      log,
    ),
    postRoute(
      {
        ...admin,
        path: '/user/update',
        known: ['username', 'rights'],
        answer: (asked) => verbs.update(asked),
      },
      log,
    ),
    postRoute(
      { ...admin, path: '/user/remove', known: ['username'], answer: (asked) => verbs.remove(asked) },
      log,
    ),
    ...tellingRoutes(
      { ...admin, path: '/user/get', known: ['username'], answer: (asked) => verbs.get(asked) },
      log,
    ),
    ...tellingRoutes({ ...admin, path: '/user/list', known: [], answer: (asked) => verbs.list(asked) }, log),
    postRoute(
      {
        path: '/user/password',
        right: 'self',
        known: ['username', 'password'],
        answer: (asked) => verbs.password(asked),
      },
      log,
    ),
  ];
}

const changes: Readonly<Record<UserChange, Answer>> = {
  done: noContent,
  exists: refuse(409, 'user_exists', 'the account has a user of this name already'),
  unknown: refuse(404, 'unknown_user', 'the account has no user of this name'),
  last_admin: refuse(409, 'last_admin', 'the account would be left without an admin'),
};

class UserVerbs {
  readonly #users: UserStore;
  readonly #gate: Gate;
  readonly #hasher: PasswordHasher;

  constructor({ connection, gate, hasher }: UserRoutesOptions) {
    this.#users = new UserStore(connection);
    this.#gate = gate;
    this.#hasher = hasher;
  }

  async add({ grant, fields }: VerbRequest): Promise<Answer> {
    const { account } = grant.property;
    const username = fields.get('username') ?? '';
    if (!isUserName(username)) return badName;
    const rights = readRights(fields);
    if (typeof rights === 'string') return refuse(400, 'bad_parameter', rights);
    const problem = await this.#passwordProblem(account, fields.get('password'));
    if (problem !== undefined) return problem;
    const password = await this.#hasher.hash(fields.get('password') ?? '');
    return changes[await this.#users.add(account, username, rights, password)];
  }

  async update({ grant, fields }: VerbRequest): Promise<Answer> {
    const rights = readRights(fields);
    if (typeof rights === 'string') return refuse(400, 'bad_parameter', rights);
    return changes[await this.#users.update(grant.property.account, fields.get('username') ?? '', rights)];
  }

  async remove({ grant, fields }: VerbRequest): Promise<Answer> {
    return changes[await this.#users.remove(grant.property.account, fields.get('username') ?? '')];
  }

  async get({ grant, fields }: VerbRequest): Promise<Answer> {
    const user = await this.#users.get(grant.property.account, fields.get('username') ?? '');
    return user === undefined ? changes.unknown : { status: 200, json: JSON.stringify(shown(user)) };
  }

  async list({ grant }: VerbRequest): Promise<Answer> {
    const users = await this.#users.list(grant.property.account);
    return { status: 200, json: JSON.stringify(users.map(shown)) };
  }

  /** One's own, or as an admin anybody's. */
  async password({ grant, fields }: VerbRequest): Promise<Answer> {
    const { account } = grant.property;
    const username = fields.get('username') ?? grant.username;
    if (username === undefined)
      return refuse(400, 'bad_parameter', 'username= is needed where nobody is logged in');
    if (username !== grant.username && !hasAccountRight(grant.rights, 'admin')) return noAdmin(grant);
    const problem = await this.#passwordProblem(account, fields.get('password'));
    if (problem !== undefined) return problem;
    const password = await this.#hasher.hash(fields.get('password') ?? '');
    return changes[await this.#users.setPassword(account, username, password)];
  }

  async #passwordProblem(account: string, password: string | undefined): Promise<Answer | undefined> {
    const { system } = await this.#gate.state(account);
    const min = passwordLengthMin(system);
    if (password !== undefined && password.length >= min && password.length <= passwordLengthMax)
      return undefined;
    return refuse(400, 'bad_password', `password: needs ${min} to ${passwordLengthMax} characters`);
  }
}

const badName = refuse(400, 'bad_parameter', `username: needs ${nameRule}`);

const noAdmin = (grant: Grant): Answer =>
  refuse(403, 'no_right', `User ${grant.username} does not have requested right in set admin`);

const readRights = (fields: Parameters): Rights | string => parseRights(fields.get('rights') ?? '');

const shown = ({ username, rights }: StoredUser): object => ({ username, rights: shownRights(rights) });
