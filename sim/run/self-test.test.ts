/** The simulator measured on targets of which it is known what must come out. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../server/base/clock.ts';
import { CrowdRun } from './crowd-run.ts';
import { resolveSimOptions } from './options.ts';
import type { RunFigures } from './result.ts';

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'crowdbeat-self-test-'));
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

function run(url: URL, flags: Record<string, unknown>): Promise<RunFigures> {
  return new CrowdRun({
    sim: resolveSimOptions({ 'log-clients': 0, workers: 1, ...flags }),
    runId: 'self-test',
    targetUrl: url,
    clock: systemClock,
    logDirectory: join(directory, 'logs'),
    intervalLogPath: undefined,
    onView: () => undefined,
    onNote: () => undefined,
  }).run();
}

const reply = '{"durability":"stored","accepted":1,"duplicates":0,"rejected":0,"results":[]}';

/** Answers nothing during the first second of each ten. */
async function startFreezingTarget() {
  const startMs = systemClock.monotonicMs();
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      const phaseMs = (systemClock.monotonicMs() - startMs) % 10_000;
      const answer = (): void => void response.end(reply);
      if (phaseMs < 1000) setTimeout(answer, 1000 - phaseMs);
      else answer();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

// Who asks in a frozen second waits for its rest: uniform from 0 to 1 s for a tenth of the events. So a twentieth wait
// for more than 0.5 s, a hundredth for more than 0.9 s, and the mean is 0.05 s. A machine busy with other things
// makes a run invalid, which is then right, and is tried again.
test('a target that freezes for 1 s in 10 shows in response and blocked, never in lateness, and the run is valid', {
  retry: 2,
  timeout: 120_000,
}, async () => {
  const target = await startFreezingTarget();
  try {
    const flags = { visitors: 150, heartbeat: '1s', connections: 2, duration: '21s', warm: true };
    const { histograms, verdict } = await run(target.url, flags);
    const response = histograms.histogram('steady', 'response');
    const seconds = (percentile: number): number => (response?.percentileUs(percentile) ?? 0) / 1e6;
    const blocked = histograms.summary('steady', 'blocked');
    const lateness = histograms.summary('steady', 'lateness');
    expect(verdict.reasons).toEqual([]);
    expect(seconds(95)).toBeGreaterThan(0.35);
    expect(seconds(95)).toBeLessThan(0.7);
    expect(seconds(99)).toBeGreaterThan(0.75);
    expect(seconds(99)).toBeLessThan(1.15);
    expect(histograms.summary('steady', 'response')?.mean).toBeGreaterThan(35);
    expect(histograms.summary('steady', 'response')?.mean).toBeLessThan(80);
    expect(blocked?.p99).toBeGreaterThan(700);
    expect(lateness?.p99).toBeLessThan(10);
  } finally {
    await target.close();
  }
});

test('a generator asked for more than it can is invalid, and says that it was late', async () => {
  const program = fileURLToPath(new URL('../../dist/bench/null-server.js', import.meta.url));
  expect(existsSync(program), 'dist/bench/null-server.js is not built').toBe(true);
  const server = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    const [line] = (await once(server.stdout, 'data')) as [Buffer];
    const port = Number(/listening (\d+)/.exec(line.toString())?.[1]);
    const flags = { visitors: 15_000, heartbeat: '100ms', duration: '3s', drain: '1s', warm: true };
    const { verdict } = await run(new URL(`http://127.0.0.1:${port}`), flags);
    expect(verdict.valid).toBe(false);
    expect(verdict.rules.find(({ rule }) => rule === 'latenessP99MsMax')?.ok).toBe(false);
    expect(verdict.reasons.join('\n')).toContain('send lateness p99 was ');
  } finally {
    server.kill();
    await once(server, 'exit');
  }
});
