import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cleanUp, temporaryDirectory } from './embedded-redis.testing.ts';
import { askRedis, infoField, parseReply } from './embedded-redis-wire.ts';

const replies: readonly (readonly [string, unknown])[] = [
  ['+PONG\r\n', { kind: 'values', values: ['PONG'] }],
  [':42\r\n', { kind: 'values', values: ['42'] }],
  ['-ERR no\r\n', { kind: 'error', text: 'ERR no' }],
  ['$4\r\na\r\nb\r\n', { kind: 'values', values: ['a\r\nb'] }],
  ['$-1\r\n', { kind: 'values', values: [] }],
  ['$3\r\nü!\r\n', { kind: 'values', values: ['ü!'] }],
  ['*3\r\n$1\r\na\r\n*1\r\n:7\r\n$0\r\n\r\n', { kind: 'values', values: ['a', '7', ''] }],
  ['HTTP/1.1 400 Bad Request\r\n', { kind: 'error', text: 'not a Redis reply: HTTP/1.1 400 Bad Request' }],
];

it.each(replies)('reads the reply %j, and waits as long as any byte of it is missing', (text, expected) => {
  const bytes = Buffer.from(text);
  expect(parseReply(bytes)).toEqual(expected);
  for (let length = 0; length < bytes.length; length++)
    expect(parseReply(bytes.subarray(0, length))).toBeUndefined();
});

it('reads one field of INFO and does not mistake another with the same beginning for it', () => {
  const info = {
    kind: 'values',
    values: ['# Server\r\nredis_version_x:1\r\nredis_version:7.0.15\r\n'],
  } as const;
  expect(infoField(info, 'redis_version')).toBe('7.0.15');
  expect(infoField(info, 'redis')).toBeUndefined();
  expect(infoField({ kind: 'error', text: 'redis_version:1' }, 'redis_version')).toBeUndefined();
});

it('counts no socket, a closing peer and a silent peer as unreachable', async () => {
  const directory = temporaryDirectory();
  const closing = createServer((socket) => socket.end());
  const silent = createServer(() => {});
  const paths = [join(directory, 'closing'), join(directory, 'silent')] as const;
  await Promise.all(
    [closing, silent].map((server, index) => new Promise<void>((done) => server.listen(paths[index], done))),
  );
  try {
    const ask = (path: string) => askRedis({ path }, ['PING'], 50);
    expect(await ask(join(directory, 'none'))).toMatchObject({
      kind: 'unreachable',
      text: expect.stringContaining('ENOENT'),
    });
    expect(await ask(paths[0])).toEqual({ kind: 'unreachable', text: 'connection closed' });
    expect(await ask(paths[1])).toEqual({ kind: 'unreachable', text: 'no answer in 50 ms' });
  } finally {
    closing.close();
    silent.close();
    await cleanUp(directory, []);
  }
});
