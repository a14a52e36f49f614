/** `GET /metrics`, in Prometheus' text format: the figures of every process that serves this port. */
import { errorAnswer, headersOf, send } from './answer.ts';
import { type Log, sendFailure } from './failure.ts';
import type { Response } from './request.ts';
import type { Route } from './router.ts';

export interface MetricsText {
  /** As the header names it. */
  readonly contentType: string;
  readonly text: string;
}

/** @param read gathers the figures; whatever it throws is an internal error */
export function metricsRoute(read: () => Promise<MetricsText>, log: Log): Route {
  return {
    method: 'GET',
    path: '/metrics',
    // Figures of the process, as /health has them: they name no account and no property.
    right: 'none',
    handle(_request, response, query) {
      if (query !== '') {
        const message = 'GET /metrics takes no query parameters';
        send(response, errorAnswer({ status: 400, code: 'bad_query', message }));
        return;
      }
      read()
        .then((metrics) => sendText(response, metrics))
        .catch((thrown: unknown) => sendFailure(response, thrown, 'GET /metrics', log));
    },
  };
}

function sendText(response: Response, { contentType, text }: MetricsText): void {
  const headers = headersOf({ status: 200, json: text });
  headers[1] = contentType;
  response.writeHead(200, headers);
  response.end(text);
}
