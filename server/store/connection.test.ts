import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { connectRedis, makeScript } from './connection.ts';
import { endProcess, pollUntil, spawnRedis, startTestRedis, type TestRedis } from './redis.testing.ts';

let redis: TestRedis;
beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(() => redis.stop());

const code = (expected: string) => expect.objectContaining({ code: expected });

test('nobody there is CB_REDIS_UNREACHABLE, and the password is not in the message', async () => {
  const attempt = connectRedis('redis://user:secret@127.0.0.1:1', { connectTimeoutMs: 300 });
  await expect(attempt).rejects.toThrow(code('CB_REDIS_UNREACHABLE'));
  await expect(attempt).rejects.toThrow(/redis:\/\/user:\*\*\*@127\.0\.0\.1:1 did not answer within 300 ms/);
});

test('a URL of another kind is refused with the rule and the value', async () => {
  await expect(connectRedis('http://127.0.0.1:1')).rejects.toThrow(
    /needs redis:.*got "http:\/\/127\.0\.0\.1:1"/,
  );
});

test('a server older than 7.0 is refused by version', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'crowdbeat-old-'));
  const info = '# Server\r\nredis_version:6.2.14\r\nloading:0\r\n';
  const server = createServer((socket) =>
    socket.on('data', () => socket.write(`$${info.length}\r\n${info}\r\n`)),
  );
  await new Promise<void>((resolve) => server.listen(join(directory, 'old.sock'), resolve));
  await expect(connectRedis(join(directory, 'old.sock'))).rejects.toThrow(/7\.0 or newer, is 6\.2\.14/);
  await new Promise((resolve) => server.close(resolve));
  rmSync(directory, { recursive: true });
});

test('a socket is reached by its path and by a redis+unix URL', async () => {
  const connection = await connectRedis(`redis+unix://${redis.socketPath}`);
  expect(connection.isReady()).toBe(true);
  expect(connection.serverVersion).toMatch(/^\d+\.\d+\.\d+$/);
  await connection.close();
  expect(connection.isReady()).toBe(false);
});

test('a script that the server has not seen is sent in full', async () => {
  const script = makeScript('return redis.call("STRLEN", KEYS[1]) + #ARGV[1]');
  expect(await redis.connection.readScript(script, ['none'], ['abc'])).toBe(3);
  await redis.connection.call('SCRIPT', ['FLUSH']);
  const bytes = Buffer.from('$1\r\n1\r\n$4\r\nnone\r\n$3\r\nabc\r\n');
  expect(await redis.connection.runEncoded(script, 'none', { count: 3, bytes })).toBe(3);
  expect(await redis.connection.runEncoded(script, 'none', { count: 3, bytes })).toBe(3);
});

test('an error reply is CB_REDIS_REPLY', async () => {
  await redis.connection.call('SET', ['text', 'x']);
  await expect(redis.connection.call('LPUSH', ['text', 'y'])).rejects.toThrow(code('CB_REDIS_REPLY'));
});

test('a server that hangs makes a command fail in time, and the connection heals when it goes on', async () => {
  const connection = await connectRedis(redis.socketPath, { commandTimeoutMs: 200 });
  onTestFinished(() => connection.close());
  onTestFinished(() => {
    redis.process.kill('SIGCONT');
  });
  redis.process.kill('SIGSTOP');
  await expect(connection.call('GET', ['x'])).rejects.toThrow(code('CB_REDIS_UNREACHABLE'));
  redis.process.kill('SIGCONT');
  const answers = () =>
    connection.call('PING', []).then(
      (reply) => reply === 'PONG',
      () => false,
    );
  await pollUntil(answers, 'the connection did not heal');
  expect(connection.resets).toBeGreaterThan(0);
});

test('a lost connection is told to listeners, fails commands at once, and comes back by itself', async () => {
  const own = await startTestRedis();
  onTestFinished(() => own.stop());
  let told = 0;
  own.connection.onReset(() => told++);
  await endProcess(own.process);
  await pollUntil(() => told > 0, 'no reset was told');
  expect(own.connection.resets).toBeGreaterThan(0);
  await expect(own.connection.call('PING', [])).rejects.toThrow(code('CB_REDIS_UNREACHABLE'));
  const again = spawnRedis(dirname(own.socketPath), own.socketPath);
  onTestFinished(() => endProcess(again));
  await pollUntil(() => own.connection.isReady(), 'the connection did not come back');
  expect(await own.connection.call('PING', [])).toBe('PONG');
});
