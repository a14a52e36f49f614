/** `crowdbeat session query|list|count|update|add`: the session stores of a collector, over HTTP. */
import type { Argv } from 'yargs';
import { CrowdbeatError } from '../server/base/errors.ts';
import { type PropertyName, parsePropertyName } from '../server/protocol/property.ts';
import { CollectorClient } from '../server/sessions/collector-client.ts';

/** The fields of each verb, as the collector knows them. */
const verbs: Readonly<Record<string, readonly string[]>> = {
  query: ['store', 'q', 'sort', 'start', 'rows'],
  count: ['store', 'withinMs', 'by'],
  list: [],
  update: ['store', 'ops'],
  add: ['name'],
};

type SessionArguments = Readonly<Record<string, unknown>>;

export const sessionBuilder = (yargs: Argv) =>
  yargs
    .positional('verb', { type: 'string', describe: Object.keys(verbs).join(', ') })
    .option('store', { type: 'string', describe: 'the session store, such as stash' })
    .option('q', { type: 'string', describe: 'query: which sessions, such as page.path:/shop (default *)' })
    .option('sort', { type: 'string', describe: 'query: the order (default: the latest updated first)' })
    .option('start', { type: 'string', describe: 'query: how many to leave out (default 0)' })
    .option('rows', { type: 'string', describe: 'query: how many to show (default 100, at most 1000)' })
    .option('within-ms', { type: 'string', describe: 'count: sessions updated so recently' })
    .option('by', { type: 'string', describe: 'count: by the values of a field' })
    .option('ops', { type: 'string', describe: 'update: JSON, [{"upsert":[…]},{"delete":["id"]}]' })
    .option('name', { type: 'string', describe: 'add: the new store' })
    .option('property', { type: 'string', describe: 'account/property (default: the collector’s own)' })
    .option('server', { type: 'string', describe: 'the collector (default http://127.0.0.1:7070)' })
    .option('username', {
      type: 'string',
      describe: 'who asks; the password is read from CROWDBEAT_PASSWORD',
    })
    .epilogue('A token may stand in CROWDBEAT_TOKEN instead.');

/** Prints the reply. Resolves with the exit code. */
export async function sessionCommand(
  args: SessionArguments,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<number> {
  const { verb, fields } = readSessionCommand(args);
  const client = new CollectorClient({
    server: readServer(args['server']),
    property: readProperty(args['property']),
    username: args['username'] as string | undefined,
    password: environment['CROWDBEAT_PASSWORD'],
    token: environment['CROWDBEAT_TOKEN'],
  });
  // What an update did is worth seeing here.
  const path = verb === 'update' ? '/session/update?verbose=true' : `/session/${verb}`;
  const text = await client.post(path, new URLSearchParams(fields));
  if (text !== '') process.stdout.write(`${text}\n`);
  return 0;
}

/** Throws CB_OPTION naming the verb or the option. */
export function readSessionCommand(args: SessionArguments): {
  readonly verb: string;
  readonly fields: Record<string, string>;
} {
  const verb = args['verb'];
  const known = typeof verb === 'string' && Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
  if (typeof verb !== 'string' || known === undefined) {
    const message = `session: knows ${Object.keys(verbs).join(', ')}, got ${JSON.stringify(verb)}`;
    throw new CrowdbeatError('CB_OPTION', message);
  }
  const fields: Record<string, string> = {};
  for (const name of new Set(Object.values(verbs).flat())) {
    const value = args[name];
    if (value === undefined) continue;
    if (!known.includes(name)) throw new CrowdbeatError('CB_OPTION', `session ${verb}: knows no --${name}`);
    fields[name] = String(value);
  }
  return { verb, fields };
}

function readServer(value: unknown): URL {
  const text = typeof value === 'string' ? value : 'http://127.0.0.1:7070';
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return new URL(text);
  throw new CrowdbeatError(
    'CB_OPTION',
    `--server: needs an address such as http://127.0.0.1:7070, got "${text}"`,
  );
}

function readProperty(value: unknown): PropertyName | undefined {
  if (value === undefined) return undefined;
  const property = parsePropertyName(String(value));
  if (property !== undefined) return property;
  throw new CrowdbeatError('CB_OPTION', `--property: needs account/property, got ${JSON.stringify(value)}`);
}
