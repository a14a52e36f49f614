/** `GET /schema` and `POST /schema/add`: which fields the events of a property have. */
import { propertyOfRequest } from '../access/property-of-request.ts';
import type { Clock } from '../base/clock.ts';
import { limits } from '../protocol/limits.ts';
import { type PropertyName, propertyHeader } from '../protocol/property.ts';
import type { ErrorReply } from '../protocol/replies.ts';
import type { RedisConnection } from '../store/connection.ts';
import { addToSchema, type SchemaCache } from '../store/schema.ts';
import { highCardinalityFields, type SchemaField, standardFieldNames } from '../store/schema-fields.ts';
import { type Answer, errorAnswer, send, sendUnread } from './answer.ts';
import { answeringRoute, ok } from './answering.ts';
import { bodyReader } from './body.ts';
import { type Log, sendFailure } from './failure.ts';
import { readFields } from './form-fields.ts';
import { parseQuery } from './query-string.ts';
import type { CollectorRequest } from './request.ts';
import type { Route } from './router.ts';
import { readSchemaFields } from './schema-fields-body.ts';

export interface SchemaOptions {
  readonly connection: RedisConnection;
  readonly schemas: SchemaCache;
  readonly clock: Clock;
  readonly log: Log;
}

export function schemaRoute({ schemas, log }: SchemaOptions): Route {
  const route = answeringRoute('/schema', [], log, async ({ property }) => {
    const { fields } = await schemas.get(property);
    return ok(fields.map(shownField));
  });
  return { ...route, right: 'get' };
}

function shownField({ name, type, multi, description }: SchemaField): object {
  const isStandard = standardFieldNames.has(name);
  return { name, type, multi, description, standard: isStandard, indexed: !highCardinalityFields.has(name) };
}

export function schemaAddRoute({ connection, schemas, clock, log }: SchemaOptions): Route {
  const add = async (property: PropertyName, fields: readonly SchemaField[]): Promise<Answer> => {
    const added = await addToSchema(connection, property, fields, clock.wallMs());
    schemas.forget(property);
    if (added === 'too_many') return errorAnswer(tooMany);
    return 'conflict' in added ? errorAnswer(conflictWith(added.conflict)) : ok(added);
  };
  const readBody = bodyReader((request, response, body) => {
    const fields = fieldsOf(request, body);
    if (!Array.isArray(fields)) {
      send(response, errorAnswer(fields));
      return;
    }
    add(request.property, fields)
      .then((answer) => send(response, answer))
      .catch((thrown: unknown) => sendFailure(response, thrown, 'POST /schema/add', log));
  });
  return {
    method: 'POST',
    path: '/schema/add',
    right: 'schema',
    handle(request, response, query) {
      const property = propertyOf(request, query);
      if ('status' in property) {
        sendUnread(request, response, errorAnswer(property), limits.bodyBytesMax);
        return;
      }
      request.property = property;
      readBody(request, response);
    },
  };
}

function propertyOf(request: CollectorRequest, query: string): PropertyName | ErrorReply {
  const parameters = parseQuery(query, ['property']);
  if ('status' in parameters) return parameters;
  return propertyOfRequest(request.headers[propertyHeader] as string | undefined, parameters.get('property'));
}

function fieldsOf(request: CollectorRequest, body: Buffer): SchemaField[] | ErrorReply {
  const form = readFields(request.headers['content-type'], body, ['properties']);
  return 'status' in form ? form : readSchemaFields(form.get('properties'));
}

const tooMany: ErrorReply = {
  status: 400,
  code: 'schema_full',
  message: `a schema declares at most ${limits.schemaFieldsMax} fields; nothing was added`,
};

function conflictWith({ name, type, multi }: SchemaField): ErrorReply {
  const message = `"${name}" is declared as ${type}, multi ${multi}, or with another description; nothing was added`;
  return { status: 409, code: 'schema_conflict', message };
}
