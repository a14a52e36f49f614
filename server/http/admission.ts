/**
 * Between the router and the routes: shows a request's credentials to the gate, and lets it in or answers it. What a
 * route sees afterwards is what was granted: `request.grant`, and on a closed collector the property's header,
 * which says the granted property even if the client named none. A route that reads it can't reach another one.
 */
import type { Credentials, Gate, Grant, Need, Verdict } from '../access/authorize.ts';
import { publishNeed } from '../access/authorize.ts';
import { corsHeaders } from '../access/judge.ts';
import { propertyOfRequest } from '../access/property-of-request.ts';
import { foreignOrigin } from '../access/refusals.ts';
import { limits } from '../protocol/limits.ts';
import { formatPropertyName, type PropertyName, propertyHeader } from '../protocol/property.ts';
import type { ErrorReply } from '../protocol/replies.ts';
import { type Answer, errorAnswer, sendUnread } from './answer.ts';
import type { HeadFields } from './direct-head.ts';
import { failureAnswer, type Log, sendFailure } from './failure.ts';
import { splitQuery } from './query-string.ts';
import type { CollectorRequest, Response } from './request.ts';
import type { HandleWhole, PendingReply, Route } from './router.ts';

const keyHeader = 'x-crowdbeat-key';

/** All that the collector reads of a page's request; a preflight gets exactly this list. */
const headersAllowed = [
  'content-type',
  'content-encoding',
  'authorization',
  'm1-auth-token',
  keyHeader,
  propertyHeader,
  'x-request-id',
].join(', ');
/** Browsers may believe a preflight for so long; the request itself is judged anew each time. */
const preflightSeconds = '600';

export class Admission {
  readonly #gate: Gate;
  readonly #log: Log;

  constructor(gate: Gate, log: Log) {
    this.#gate = gate;
    this.#log = log;
  }

  /** Hands a request to its route, now or when its credentials have been looked up; or answers it. */
  admit(route: Route, request: CollectorRequest, response: Response, query: string): void {
    const right = route.right ?? (route.method === 'GET' ? 'get' : 'admin');
    if (right === 'none') {
      route.handle(request, response, query);
      return;
    }
    const { parameter, key, rest } = takeFromUrl(request, query, right);
    const credentials = credentialsOf(request, key);
    const need = needOf(right, route.scope, parameter);
    request.admission = this;
    request.right = right;
    request.scope = route.scope;
    request.isPropertyNamed = credentials.property !== undefined || parameter !== undefined;
    const enter = (verdict: Verdict): void => {
      if ('status' in verdict) {
        sendUnread(request, response, refusalAnswer(verdict, credentials.origin), limits.bodyBytesMax);
        return;
      }
      this.#let(verdict, request, response);
      route.handle(request, response, rest);
    };
    const known = this.#gate.recall(credentials, need);
    if (known !== undefined) enter(known);
    else
      this.#gate
        .authorize(credentials, need)
        .then(enter)
        .catch((thrown: unknown) =>
          sendFailure(response, thrown, `${request.method} ${route.path}`, this.#log),
        );
  }

  #let(grant: Grant, request: CollectorRequest, response: Response): void {
    request.grant = grant;
    request.property = grant.property;
    if (this.#gate.mode === 'closed') request.headers[propertyHeader] = headerTextOf(grant.property);
    const { corsHeaders: headers = [] } = grant;
    for (let i = 0; i + 1 < headers.length; i += 2)
      response.setHeader(headers[i] as string, headers[i + 1] as string);
  }

  /**
   * For a route that finds the property in the body: asks again for that one. Gives the refusal, or undefined, and
   * then `request.property` and `request.grant` are the new ones.
   */
  async another(request: CollectorRequest, property: PropertyName): Promise<ErrorReply | undefined> {
    const { grant } = request;
    const same = formatPropertyName(request.property) === formatPropertyName(property);
    if (same || grant === undefined) return undefined;
    const named = { ...credentialsOf(request, request.publishKey), property: headerTextOf(property) };
    const verdict = await this.#gate.authorize(named, needOf(request.right, request.scope, undefined));
    if ('status' in verdict) return verdict;
    request.grant = verdict;
    request.property = verdict.property;
    if (this.#gate.mode === 'closed') request.headers[propertyHeader] = headerTextOf(property);
    return undefined;
  }

  /** The same for a property as text. Header or URL may name it too, if they say the same. */
  async takeNamed(request: CollectorRequest, field: string): Promise<ErrorReply | undefined> {
    const said = request.isPropertyNamed ? headerTextOf(request.property) : undefined;
    const property = propertyOfRequest(said, field);
    return 'status' in property ? property : this.another(request, property);
  }

  /** The same for requests of the direct path. */
  admitWhole(handle: HandleWhole, path: string, right: string): HandleWhole {
    const need: Need = right === publishNeed.right ? publishNeed : { right, isRemembered: true };
    return (body, head, ip, reply) => {
      const known = this.#gate.recall(head, need);
      if (known !== undefined) {
        this.#enterWhole(known, handle, body, head, ip, reply);
        return;
      }
      this.#gate
        .authorize(head, need)
        .then((verdict) => this.#enterWhole(verdict, handle, body, head, ip, reply))
        .catch((thrown: unknown) =>
          reply.answer(failureAnswer(thrown, `POST ${path}`, this.#log, reply.requestId)),
        );
    };
  }

  #enterWhole(
    verdict: Verdict,
    handle: HandleWhole,
    body: Buffer,
    head: HeadFields,
    ip: string,
    reply: PendingReply,
  ): void {
    if ('status' in verdict) {
      reply.answer(refusalAnswer(verdict, head.origin));
      return;
    }
    const isSaid = head.property !== undefined || this.#gate.mode === 'open';
    const said = isSaid ? head : { ...head, property: headerTextOf(verdict.property) };
    const { corsHeaders: headers } = verdict;
    handle(body, said, ip, headers === undefined ? reply : new PageReply(reply, headers));
  }

  /** Answers what a browser asks before a request of another site's page. @param methods that the path knows */
  preflight(request: CollectorRequest, response: Response, query: string, methods: readonly string[]): void {
    const { origin = '', host } = request.headers;
    const { property: parameter, key } = Object.fromEntries(splitQuery(query));
    const answer = (isAllowed: boolean): Answer =>
      isAllowed
        ? { status: 204, json: '', headers: preflightHeaders(origin, methods) }
        : refusalAnswer(foreignOrigin(origin), origin);
    this.#gate
      .isPreflightAllowed({ origin, host, parameter, key })
      .then((isAllowed) => sendUnread(request, response, answer(isAllowed), limits.bodyBytesMax))
      .catch((thrown: unknown) => sendFailure(response, thrown, 'OPTIONS', this.#log));
  }
}

/** Adds to an answer what lets the page read it. */
class PageReply implements PendingReply {
  readonly #reply: PendingReply;
  readonly #headers: readonly string[];

  constructor(reply: PendingReply, headers: readonly string[]) {
    this.#reply = reply;
    this.#headers = headers;
  }

  get requestId(): string | undefined {
    return this.#reply.requestId;
  }

  answer({ allHeaders: _all, headers = [], ...answer }: Answer): void {
    // Not `allHeaders`: the path keeps the texts of those answers, and every page would have its own.
    this.#reply.answer({ ...answer, headers: [...headers, ...this.#headers] });
  }
}

function needOf(right: string, scope: 'account' | undefined, parameter: string | undefined): Need {
  // The very object by which the gate knows the need that comes by the thousand.
  if (right === 'publish' && scope === undefined && parameter === undefined) return publishNeed;
  return { right, scope, parameter };
}

function credentialsOf({ headers }: CollectorRequest, keyOfUrl: string | undefined): Credentials {
  const text = (name: string): string | undefined => headers[name] as string | undefined;
  return {
    property: text(propertyHeader),
    token: text('m1-auth-token'),
    authorization: headers.authorization,
    key: text(keyHeader) ?? keyOfUrl,
    origin: headers.origin,
    host: headers.host,
    fetchSite: text('sec-fetch-site'),
  };
}

/** Reads `property=`; takes `key=` away from a write's URL, so that nobody logs it or takes it for a parameter. */
function takeFromUrl(
  request: CollectorRequest,
  query: string,
  right: string,
): { parameter: string | undefined; key: string | undefined; rest: string } {
  if (query === '') return { parameter: undefined, key: undefined, rest: query };
  const parts = splitQuery(query);
  const firstOf = (name: string): string | undefined => parts.find(([known]) => known === name)?.[1];
  const parameter = firstOf('property');
  const key = right === 'publish' ? firstOf('key') : undefined;
  if (key === undefined) return { parameter, key, rest: query };
  const rest = query
    .split('&')
    .filter((part) => splitQuery(part)[0]?.[0] !== 'key')
    .join('&');
  const url = request.url ?? '';
  request.url = `${url.slice(0, url.indexOf('?'))}${rest === '' ? '' : `?${rest}`}`;
  request.publishKey = key;
  return { parameter, key, rest };
}

/** As it stands in a header: bytes of UTF-8, shown as Latin-1. */
const headerTextOf = (property: PropertyName): string =>
  Buffer.from(formatPropertyName(property), 'utf8').toString('latin1');

function refusalAnswer(refusal: ErrorReply, origin: string | undefined): Answer {
  const headers = refusal.status === 401 ? ['www-authenticate', 'Bearer'] : [];
  if (origin !== undefined) headers.push('vary', 'Origin');
  return errorAnswer(refusal, headers);
}

const preflightHeaders = (origin: string, methods: readonly string[]): readonly string[] => [
  ...(corsHeaders(origin) ?? []),
  'access-control-allow-methods',
  methods.join(', '),
  'access-control-allow-headers',
  headersAllowed,
  'access-control-max-age',
  preflightSeconds,
];
