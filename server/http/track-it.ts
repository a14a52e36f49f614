/**
 * `GET /track/it?…`: an event in the query of an image, as Aktivat's tracker sends it, or a mail or a page without
 * scripts. The reply is the image, when the event is stored; a rejected event gets it too, and a header with the
 * reason, since nobody reads the body of an image.
 */
import { propertyOfRequest } from '../access/property-of-request.ts';
import type { Clock } from '../base/clock.ts';
import type { Enricher } from '../ingest/enrich/enricher.ts';
import type { EventCounts } from '../ingest/event-counts.ts';
import type { Intake } from '../ingest/intake.ts';
import { pixelEvent } from '../ingest/pixel-event.ts';
import { readEvent } from '../ingest/read-event.ts';
import { limits } from '../protocol/limits.ts';
import { defaultProperty, propertyHeader } from '../protocol/property.ts';
import type { ErrorReply } from '../protocol/replies.ts';
import { errorAnswer, send, sendAndClose } from './answer.ts';
import { type Log, sendFailure } from './failure.ts';
import { splitQuery } from './query-string.ts';
import { type CollectorRequest, type Response, senderOf } from './request.ts';
import type { Route } from './router.ts';
import { refusals } from './write.ts';

export interface TrackItOptions {
  readonly intake: Intake;
  readonly clock: Clock;
  readonly log: Log;
  readonly counts?: EventCounts | undefined;
  readonly enricher: Enricher;
}

/** One transparent pixel, GIF 89a, 43 bytes. */
export const pixelGif = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==', 'base64');
const rejectedHeader = 'x-crowdbeat-rejected';
/** Parameters of the request, not of the event. */
const ownParameters: readonly string[] = ['property', 'key', 'config_account'];

export function trackItRoute({ intake, clock, log, counts, enricher }: TrackItOptions): Route {
  const track = (request: CollectorRequest, response: Response, query: string): void => {
    const event = pixelEvent(query, ownParameters);
    const receipt = enricher.receipt(clock.wallMs(), senderOf(request));
    const record = typeof event === 'string' ? event : readEvent(event, undefined, receipt);
    if (typeof record === 'string') {
      counts?.refused([record]);
      sendPixel(response, record);
      return;
    }
    const pending = intake.write(request.property, [record]);
    if (typeof pending === 'string') send(response, refusals[pending]);
    else
      pending
        .then(([outcome]) => {
          const isStored = outcome === 'accepted' || outcome === 'duplicate';
          sendPixel(response, isStored ? undefined : outcome);
        })
        .catch((thrown) => sendFailure(response, thrown, 'GET /track/it', log));
  };
  return {
    method: 'GET',
    path: '/track/it',
    right: 'publish',
    handle(request, response, query) {
      const problem = refuseUnread(request, query);
      if (problem !== undefined) sendAndClose(request, response, errorAnswer(problem));
      // Somebody looks whether the address exists: that is no visit.
      else if (request.method === 'HEAD') sendPixel(response, undefined);
      else
        nameProperty(request, query)
          .then((refusal) => {
            if (refusal === undefined) track(request, response, query);
            else send(response, errorAnswer(refusal));
          })
          .catch((thrown) => sendFailure(response, thrown, 'GET /track/it', log));
    },
  };
}

function refuseUnread(request: CollectorRequest, query: string): ErrorReply | undefined {
  const { headers } = request;
  if (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0)
    return { status: 413, code: 'too_large', message: 'a pixel has no body: the event stands in the query' };
  if (query.length <= limits.pixelQueryLengthMax) return undefined;
  const message = `a pixel's query holds at most ${limits.pixelQueryLengthMax} characters, got ${query.length}`;
  return { status: 414, code: 'uri_too_long', message };
}

/**
 * The property may stand in `config_account=`, as Aktivat's tracker has it: `account/property`, or an account alone,
 * whose site is meant. `property=` goes before it. Gives the refusal, or undefined, and then the request has it.
 */
async function nameProperty(request: CollectorRequest, query: string): Promise<ErrorReply | undefined> {
  const parameters = new Map(splitQuery(query));
  const account = parameters.get('config_account') ?? '';
  const isNamed = parameters.has('property') || account === '' || account === 'undefined';
  const named = account.includes('/') ? account : `${account}/${defaultProperty.property}`;
  if (request.admission !== undefined)
    return isNamed ? undefined : request.admission.takeNamed(request, named);
  const header = request.headers[propertyHeader] as string | undefined;
  const property = propertyOfRequest(header, isNamed ? parameters.get('property') : named);
  if ('status' in property) return property;
  request.property = property;
  return undefined;
}

function sendPixel(response: Response, reason: string | undefined): void {
  const headers = ['content-type', 'image/gif', 'content-length', String(pixelGif.length)];
  headers.push('cache-control', 'no-store');
  if (reason !== undefined) headers.push(rejectedHeader, reason);
  response.writeHead(200, headers);
  response.end(pixelGif);
}
