/** `GET /health` for operators and load balancers; `GET /ping`, which touches nothing but this process. */
import type { HealthReply } from '../protocol/replies.ts';
import { answeringRoute, ok } from './answering.ts';
import type { Log } from './failure.ts';
import type { Route } from './router.ts';

/** 200 when all is well, otherwise 503, so that a load balancer needs to read no JSON. */
export function healthRoute(readHealth: () => Promise<HealthReply>, log: Log): Route {
  const route = answeringRoute('/health', [], log, async () => {
    const health = await readHealth();
    return { ...ok(health), status: health.overall.status === 'PASSED' ? 200 : 503 };
  });
  return { ...route, right: 'none' };
}

export function pingRoute(log: Log): Route {
  const route = answeringRoute('/ping', [], log, async () => ({ status: 200, json: 'true' }));
  return { ...route, right: 'none' };
}
