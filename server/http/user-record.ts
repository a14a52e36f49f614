/** `GET /user-record?id=…` or `?visitor=…`: what events told of a user. */
import { limits } from '../protocol/limits.ts';
import type { PropertyName } from '../protocol/property.ts';
import type { RedisConnection } from '../store/connection.ts';
import { readUserRecord, readVisitorUsers } from '../store/users.ts';
import { type Answer, errorAnswer } from './answer.ts';
import { answeringRoute, ok } from './answering.ts';
import type { Log } from './failure.ts';
import type { Route } from './router.ts';

export function userRecordRoute(connection: RedisConnection, log: Log): Route {
  const route = answeringRoute('/user-record', ['id', 'visitor'], log, ({ property, parameters }) => {
    const id = parameters.get('id');
    const visitor = parameters.get('visitor');
    if (isId(id) && visitor === undefined) return byId(connection, property, id);
    if (isId(visitor) && id === undefined) return byVisitor(connection, property, visitor);
    const message = `needs id= or visitor=, one of them, of 1 to ${limits.idLengthMax} characters`;
    return Promise.resolve(errorAnswer({ status: 400, code: 'bad_parameter', message }));
  });
  return { ...route, right: 'get' };
}

const isId = (text: string | undefined): text is string =>
  text !== undefined && text.length >= 1 && text.length <= limits.idLengthMax;

async function byId(connection: RedisConnection, property: PropertyName, id: string): Promise<Answer> {
  const record = await readUserRecord(connection, property, id);
  return record === undefined ? unknown(`no event told of a user "${id}"`) : ok(record);
}

async function byVisitor(
  connection: RedisConnection,
  property: PropertyName,
  visitor: string,
): Promise<Answer> {
  const users = await readVisitorUsers(connection, property, visitor);
  return users === undefined ? unknown(`visitor "${visitor}" was no user yet`) : ok(users);
}

const unknown = (message: string): Answer => errorAnswer({ status: 404, code: 'unknown_user', message });
