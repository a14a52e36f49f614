/**
 * The yardstick of the collector's cost: the smallest Fastify program that reads the same JSON and answers
 * with the same JSON, and keeps nothing.
 *
 *   node dist/bench/fastify-echo.js     prints "listening <port>"; `GET /seen` says how many writes it answered
 *
 * It answers as a collector that stored one event does, and not with what it was sent: that is a fifth of the
 * bytes to write, so the yardstick is the shorter one. Ends on SIGTERM, and when its parent goes away.
 */
import { fastify } from 'fastify';

const server = fastify({ logger: false });
let seen = 0;

server.post('/write', async () => {
  seen += 1;
  return { durability: 'stored', accepted: 1, duplicates: 0, rejected: 0, results: [] };
});
server.get('/ping', async () => true);
server.get('/seen', async () => ({ seen }));

const address = await server.listen({ host: '127.0.0.1', port: 0 });
process.stdout.write(`listening ${new URL(address).port}\n`);
process.once('SIGTERM', () => process.exit(0));
if (process.channel) process.once('disconnect', () => process.exit(0));
