/** Makes environments: a property and its session stores, over HTTP. Doing it again does what is left to do. */
import { accountOfToken } from '../server/access/secrets.ts';
import { CrowdbeatError } from '../server/base/errors.ts';
import { formatPropertyName } from '../server/protocol/property.ts';
import { type EnvironmentBook, findEnvironment, type KnownEnvironment } from './cli-env-book.ts';
import { EnvironmentClient, type EnvironmentQuestion } from './cli-env-client.ts';
import { readTemplateFile } from './cli-env-template.ts';
import { type CollectorReply, refusalOf } from './collector-client.ts';

/** Stands in the place of a key for the token that is known. */
export const knownKey = '-';

/** Resolves with what was done, in words. Throws CB_OPTION, CB_REFUSED and CB_TARGET_UNREACHABLE. */
export async function createEnvironment(
  name: string,
  file: string,
  place: KnownEnvironment,
  book: EnvironmentBook,
): Promise<string> {
  const template = readTemplateFile(file);
  const client = new EnvironmentClient(place);
  const property = formatPropertyName(place.property);
  const isNew = await addProperty(client, place);
  const added = await addStores(client, template.sessionStores);
  book.write(name, place);
  return `${name}: ${isNew ? 'made the property' : 'there was already a property'} ${property} at ${place.server}${added}`;
}

/** @param key an admin's token of the account, or `-` for the one that is known */
export async function addEnvironmentStores(
  name: string,
  key: string,
  file: string,
  book: EnvironmentBook,
): Promise<string> {
  const template = readTemplateFile(file);
  const known = findEnvironment(name, book);
  const client = new EnvironmentClient(key === knownKey ? known : { ...known, token: key });
  return `${name}: ${formatPropertyName(known.property)}${await addStores(client, template.sessionStores)}`;
}

/** False if it was there. */
async function addProperty(client: EnvironmentClient, { property }: KnownEnvironment): Promise<boolean> {
  const question = { path: '/property/add', form: { name: property.property } };
  // An open collector takes the account from the property. A closed one knows no property before it is made, and
  // takes the account from the token.
  let reply = await client.reply(question);
  if (reply.status === 404) {
    const account = accountOfToken(client.token ?? '');
    if (account !== property.account) {
      const message = `property/add: the token is of the account ${account}, not of ${property.account}`;
      throw new CrowdbeatError('CB_REFUSED', message);
    }
    reply = await client.reply(question, true);
  }
  if (reply.status === 409) return false;
  expectDone(question, reply);
  return true;
}

/** Behind a comma, which stores there are now. */
async function addStores(client: EnvironmentClient, names: readonly string[]): Promise<string> {
  for (const name of names) {
    const question = { path: '/session/add', form: { name } };
    expectDone(question, await client.reply(question));
  }
  if (names.length === 0) return '';
  return `, with the session ${names.length === 1 ? 'store' : 'stores'} ${names.join(', ')}`;
}

function expectDone({ path }: EnvironmentQuestion, { status, text }: CollectorReply): void {
  if (status >= 200 && status < 300) return;
  throw new CrowdbeatError('CB_REFUSED', `${path.slice(1)}: ${refusalOf(text)} (${status})`);
}
