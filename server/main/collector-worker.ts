/**
 * The program of one process of a collector with several. It is told what to serve by its primary
 * (collector-cluster.ts), says when it listens or why it can't, and serves until a signal; then it drains.
 *
 * Without its primary no connection comes in any more: node:cluster ends this process when the channel breaks.
 * What it had acknowledged is stored, the rest its clients send again.
 */
import { CrowdbeatError, messageOf } from '../base/errors.ts';
import { startCollector } from './collector.ts';
import { isMetricsMessage, MetricsPeers, type MetricsToWorker } from './metrics-gather.ts';
import type { FromCollectorWorker, WorkerStart } from './worker-messages.ts';

const ended = new Promise<void>((resolve) => {
  // Ctrl-C reaches this process from the terminal and from the primary: asked twice is asked.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => resolve());
});

process.once('message', (start) => void serve(start as WorkerStart));
void tell({ asks: 'what to serve' });

async function serve(start: WorkerStart): Promise<void> {
  try {
    const peers = new MetricsPeers((message) => void tell(message));
    process.on('message', (message) => {
      if (isMetricsMessage(message)) peers.take(message as MetricsToWorker);
    });
    const collector = await startCollector({ ...start, peers });
    await tell({ listening: collector.url });
    await ended;
    await collector.close();
  } catch (thrown) {
    const code = thrown instanceof CrowdbeatError ? thrown.code : 'CB_COLLECTOR_START';
    await tell({ failed: { code, message: messageOf(thrown) } });
    process.exit(1);
  }
  // Nothing is left but the channel to the primary, which would keep the process alive.
  process.exit(0);
}

/** Resolves when the message is on its way; a channel that is gone has nobody to tell. */
function tell(message: FromCollectorWorker): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined) resolve();
    else process.send(message, undefined, undefined, () => resolve());
  });
}
