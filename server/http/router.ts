/** Which route a request is for: a table of paths and methods. */

import { type Answer, errorAnswer } from './answer.ts';
import type { HeadFields } from './direct-head.ts';
import type { CollectorRequest, Response } from './request.ts';

/** A reply that is owed to a request of the direct path. */
export interface PendingReply {
  /** Gives the answer, now or later. Only the first one counts, and nobody may be left to read it. */
  answer(answer: Answer): void;
  /** What the client calls its request, as it came. */
  readonly requestId?: string | undefined;
}

/**
 * Handles a request that came whole, its head being nothing out of the ordinary: see direct-head.ts.
 * @param body bytes of the socket: to be read at once
 * @param head its headers, as far as anybody asks for them. Must not throw.
 */
export type HandleWhole = (body: Buffer, head: HeadFields, ip: string, reply: PendingReply) => void;

export interface Route {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /**
   * Who may: `publish`, `get` …; `self` is whoever is logged in, `none` is everybody. Without a word: `get` for GET,
   * `admin` for POST, so that a route that was forgotten is closed. See server/access/authorize.ts.
   */
  readonly right?: string;
  /** `account`: the right is needed for the whole account, not only for the property of the request. */
  readonly scope?: 'account';
  /** @param query what stands behind the `?` of the URL, '' if nothing does. Must answer, now or later. */
  readonly handle: (request: CollectorRequest, response: Response, query: string) => void;
  /** Of the POST routes that are worth a path of their own. Must answer as `handle` does. */
  readonly handleWhole?: HandleWhole;
}

export class Router {
  readonly #routes = new Map<string, Map<string, Route>>();

  constructor(routes: readonly Route[]) {
    for (const route of routes) {
      const methods = this.#routes.get(route.path) ?? new Map<string, Route>();
      this.#routes.set(route.path, methods.set(route.method, route));
    }
  }

  /** The methods of a path; none if there is no such path. */
  methods(path: string): readonly string[] {
    return [...(this.#routes.get(path)?.keys() ?? [])];
  }

  /** The route, or the answer that there is none: 404, or 405 with the methods that the path knows. */
  find(method: string, path: string): Route | Answer {
    const methods = this.#routes.get(path);
    if (methods === undefined) {
      return errorAnswer({ status: 404, code: 'not_found', message: `no such path: ${path.slice(0, 200)}` });
    }
    // node:http leaves out the body of a reply to HEAD by itself.
    const route = methods.get(method === 'HEAD' ? 'GET' : method);
    if (route !== undefined) return route;
    const allow = [...methods.keys()]
      .flatMap((known) => (known === 'GET' ? ['GET', 'HEAD'] : [known]))
      .join(', ');
    const message = `${path} knows ${allow}, not ${method}`;
    return errorAnswer({ status: 405, code: 'method_not_allowed', message }, ['allow', allow]);
  }
}
