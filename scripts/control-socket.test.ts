import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  askRun,
  type ControlReply,
  type ControlRequest,
  controlPath,
  openControl,
  parseRequest,
} from './control-socket.ts';

let state: string;

beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'crowdbeat-control-'));
});

afterEach(() => rmSync(state, { recursive: true, force: true }));

const echo = (request: ControlRequest): ControlReply => ({ ok: true, text: JSON.stringify(request) });

test('a request is answered, from several terminals at once', async () => {
  const control = await openControl(state, echo);
  const replies = await Promise.all([1, 2, 3].map((visitors) => askRun(state, { command: 'add', visitors })));
  expect(replies.map((reply) => reply?.text)).toEqual(
    [1, 2, 3].map((n) => `{"command":"add","visitors":${n}}`),
  );
  await control?.close('over');
});

test('nobody but the owner can read or write the socket', async () => {
  const control = await openControl(state, echo);
  expect(statSync(controlPath(state)).mode & 0o777).toBe(0o600);
  await control?.close('over');
});

test('without a run there is nothing to ask', async () => {
  expect(await askRun(state, { command: 'status' })).toBeUndefined();
});

test('of two runs that start together exactly one gets the socket', async () => {
  const controls = await Promise.all([openControl(state, echo), openControl(state, echo)]);
  expect(controls.filter((control) => control !== undefined)).toHaveLength(1);
  for (const control of controls) await control?.close('over');
});

test('a socket that a killed run left is recognised and replaced', async () => {
  const path = controlPath(state);
  const child = spawnSync(process.execPath, [
    '-e',
    `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`,
  ]);
  expect(child.signal).toBe('SIGKILL');
  expect(existsSync(path)).toBe(true);
  expect(await askRun(state, { command: 'status' })).toBeUndefined();
  const control = await openControl(state, echo);
  expect(control).toBeDefined();
  expect((await askRun(state, { command: 'status' }))?.ok).toBe(true);
  await control?.close('over');
  expect(existsSync(path)).toBe(false);
});

test('who asked for the end hears of it when it has come', async () => {
  const control = await openControl(state, echo);
  const heard: string[] = [];
  const asked = askRun(state, { command: 'stop' }, (reply) => {
    heard.push(reply.text);
    if (heard.length === 1) void control?.close('the run has ended');
  });
  expect((await asked)?.text).toBe('the run has ended');
  expect(heard).toEqual(['{"command":"stop"}', 'the run has ended']);
});

test('nonsense, half a request and an endless one do not disturb the run', async () => {
  const control = await openControl(state, echo);
  const answers = await Promise.all(
    ['hello\n', '{"command":"add"}\n', 'x'.repeat(10_000)].map(
      (text) =>
        new Promise<string>((resolve) => {
          let answer = '';
          const socket = connect(controlPath(state), () => socket.write(text));
          socket.on('data', (chunk: Buffer) => {
            answer += chunk.toString();
          });
          socket.on('close', () => resolve(answer));
        }),
    ),
  );
  expect(answers).toEqual(Array(3).fill('{"ok":false,"text":"not understood"}\n'));
  const half = connect(controlPath(state), () => half.write('{"comm'));
  half.on('error', () => undefined);
  expect((await askRun(state, { command: 'status' }))?.ok).toBe(true);
  half.destroy();
  await control?.close('over');
});

test('a state directory with a long name still has a socket that can be reached', async () => {
  const long = join(state, 'x'.repeat(120));
  const control = await openControl(long, echo);
  expect(Buffer.byteLength(controlPath(long))).toBeLessThan(104);
  expect((await askRun(long, { command: 'status' }))?.ok).toBe(true);
  await control?.close('over');
});

test.each([
  ['{"command":"add","visitors":0}'],
  ['{"command":"add","visitors":1.5}'],
  ['{"command":"add","visitors":"5"}'],
  ['{"command":"fly"}'],
  ['null'],
  ['[]'],
  ['{'],
])('%s is no request', (line) => {
  expect(parseRequest(line)).toBeUndefined();
});

test('a socket of somebody else is never taken over while it answers', async () => {
  const stranger = createServer((socket) => socket.end());
  await new Promise<void>((resolve) => stranger.listen(controlPath(state), resolve));
  expect(await openControl(state, echo)).toBeUndefined();
  expect(existsSync(controlPath(state))).toBe(true);
  stranger.close();
});
