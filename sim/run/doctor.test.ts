import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { systemClock } from '../../server/base/clock.ts';
import { examineMachine, gradeOf, machineText } from './doctor.ts';

const latency = { p50: 0.1, p90: 0.2, p99: 2, p999: 3, max: 4, mean: 0.1, count: 500 };
const loopback = { requestsPerSecond: 50_000, cpuUsPerRequest: 11, serviceMs: latency, variation: 0.05 };
const quiet = {
  timerLatenessMs: latency,
  stealShare: 0.01,
  throttledShare: null,
  clockJumpMsMax: 1,
  loopback,
};

test('a machine within all first limits is quiet, one beyond a second one noisy, and each fault is named', () => {
  expect(gradeOf(quiet)).toEqual({ grade: 'quiet', reasons: [] });
  expect(gradeOf({ ...quiet, stealShare: 0.03 })).toEqual({
    grade: 'moderate',
    reasons: ['other guests of the host take CPU time: 3 %, more than 1 %'],
  });
  const noisy = { ...quiet, stealShare: 0.03, timerLatenessMs: { ...latency, p99: 11 } };
  expect(gradeOf(noisy)).toEqual({
    grade: 'noisy',
    reasons: [
      'timers are late, p99 11 ms, more than 10 ms',
      'other guests of the host take CPU time: 3 %, more than 1 %',
    ],
  });
});

test('against a server that answers at once it says what the client reaches, and at which cost', async () => {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const nullServer = new URL(`http://127.0.0.1:${port}`);
  const report = await examineMachine({ nullServer, clock: systemClock, lookMs: 500 });
  await new Promise((resolve) => server.close(resolve));
  expect(report.loopback.requestsPerSecond).toBe((report.loopback.serviceMs?.count ?? 0) * 2);
  expect(report.loopback.serviceMs?.count).toBeGreaterThan(64);
  expect(report.loopback.cpuUsPerRequest).toBeGreaterThan(1);
  expect(report.timerLatenessMs?.count).toBeGreaterThan(10);
  expect(machineText(report)).toMatch(/^This machine is (quiet|moderate|noisy)/);
});
