import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../server/base/clock.ts';
import { type Front, startFront } from './front.ts';

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

/** Answers every message with its name, eight characters long. */
async function startEcho(name: string): Promise<{ port: number; server: Server; stop(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', () => socket.write(name.padEnd(8, '.')));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  opened.push(stop);
  return { port: (server.address() as { port: number }).port, server, stop };
}

async function frontTo(...ports: number[]): Promise<Front> {
  const front = await startFront(ports);
  opened.push(() => front.close());
  return front;
}

/** One question on a connection of its own: what came back until it had eight characters or was closed. */
function ask(front: Front): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(Number(front.url.port), '127.0.0.1');
    let text = '';
    const end = (): void => {
      socket.destroy();
      resolve(text);
    };
    socket.on('error', end);
    socket.on('end', end);
    socket.on('close', end);
    socket.on('data', (bytes) => {
      text += bytes.toString();
      if (text.length >= 8) end();
    });
    socket.write('?');
  });
}

test('connections go to the collectors in turn, and only to the living', async () => {
  const [one, two] = [await startEcho('one'), await startEcho('two')];
  const front = await frontTo(one.port, two.port);
  expect([await ask(front), await ask(front), await ask(front)]).toEqual([
    'one.....',
    'two.....',
    'one.....',
  ]);
  await one.stop();
  expect([await ask(front), await ask(front)]).toEqual(['two.....', 'two.....']);
  await two.stop();
  expect(await ask(front)).toBe('');
});

test('every n-th reply is cut in its middle, until it is told to stop', async () => {
  const front = await frontTo((await startEcho('collector')).port);
  front.cutEvery(2);
  expect([await ask(front), await ask(front)]).toEqual(['collector', 'coll']);
  expect(front.cuts).toBe(1);
  front.cutEvery(0);
  expect([await ask(front), await ask(front)]).toEqual(['collector', 'collector']);
});

test('replies are held back as long as it is told', async () => {
  const front = await frontTo((await startEcho('one')).port);
  front.delay(200);
  const beforeMs = systemClock.monotonicMs();
  expect(await ask(front)).toBe('one.....');
  expect(systemClock.monotonicMs() - beforeMs).toBeGreaterThanOrEqual(199);
});
