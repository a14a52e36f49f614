import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:net';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startNullServer } from './null-server.ts';

const reply =
  'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 77\r\n\r\n' +
  '{"durability":"stored","accepted":1,"duplicates":0,"rejected":0,"results":[]}';
const post =
  'POST /write HTTP/1.1\r\nhost: x\r\nContent-Length: 11\r\nx-c: content-length: 999\r\n\r\nhello world';

let server: Server;
let port = 0;

beforeAll(async () => {
  port = await new Promise((resolve) => {
    server = startNullServer(0, resolve);
  });
});

afterAll(() => void server.close());

/** Writes the pieces one by one and reads until so many bytes came back. */
async function exchange(pieces: readonly string[], replyBytes: number): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  for (const piece of pieces) await new Promise((resolve) => socket.write(piece, resolve));
  while (text.length < replyBytes) await once(socket, 'data');
  socket.destroy();
  return text;
}

test('a complete POST gets the fixed reply', async () => {
  expect(await exchange([post], reply.length)).toBe(reply);
});

test('requests in one piece, or cut anywhere, get one reply each', async () => {
  expect(await exchange([post + post + post], 3 * reply.length)).toBe(reply.repeat(3));
  for (let cut = 1; cut < post.length; cut += 1) {
    expect(await exchange([post.slice(0, cut), post.slice(cut)], reply.length)).toBe(reply);
  }
});

test('half a request gets no reply', async () => {
  const whole = await exchange([post, post.slice(0, -1)], reply.length);
  expect(whole).toBe(reply);
});

test('ping gets an empty object and anything else 404', async () => {
  expect(await exchange(['GET /ping HTTP/1.1\r\nhost: x\r\n\r\n'], 60)).toMatch(
    /^HTTP\/1\.1 200 OK\r\n.*\r\n\r\n\{\}$/s,
  );
  expect(await exchange(['GET /totals HTTP/1.1\r\nhost: x\r\n\r\n'], 60)).toMatch(/^HTTP\/1\.1 404 /);
});

describe('as a process', () => {
  let directory = '';
  const options = [
    '--ignoreConfig',
    '--skipLibCheck',
    '--types',
    'node',
    '--target',
    'es2023',
    '--module',
    'nodenext',
  ];

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'crowdbeat-null-'));
    writeFileSync(join(directory, 'package.json'), '{"type":"module"}');
    const source = join(import.meta.dirname, 'null-server.ts');
    execFileSync(join(import.meta.dirname, '../node_modules/.bin/tsc'), [
      ...options,
      '--outDir',
      directory,
      source,
    ]);
  });

  afterAll(() => rmSync(directory, { recursive: true }));

  async function start(stdio: 'ipc' | 'pipe' | 'ignore'): Promise<ChildProcess> {
    const streams: ('ipc' | 'pipe' | 'ignore')[] =
      stdio === 'ipc' ? ['ignore', 'pipe', 'ignore', 'ipc'] : [stdio, 'pipe', 'ignore'];
    const child = spawn(process.execPath, [join(directory, 'null-server.js'), '0'], { stdio: streams });
    const [line] = await once(child.stdout!, 'data');
    expect(String(line)).toMatch(/^listening \d+\n$/);
    return child;
  }

  test('it says where it listens, and ends on SIGTERM', async () => {
    const child = await start('ignore');
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  test('it ends when its standard input is closed', async () => {
    const child = await start('pipe');
    child.stdin!.end();
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  test('it ends when the channel to its parent is closed', async () => {
    const child = await start('ipc');
    child.disconnect();
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});
