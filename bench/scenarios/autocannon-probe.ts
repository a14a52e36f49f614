/** A process of its own that drives autocannon, closed loop, and prints what it cost: requests and CPU. */
import autocannon from 'autocannon';

const [url = '', seconds = '5', connections = '64'] = process.argv.slice(2);

const body = JSON.stringify({
  event: { type: 'heartbeat', time: 1_795_280_000_000, seq: 12 },
  session: { id: '3e0a6b52-7f6d-8a8e-9d7c-5b1f00000001', start: 1_795_279_900_000 },
  visitor: { id: '3e0a6b52-7f6d-8a8e-9d7c-5b1f00000002' },
  tab: { id: '1' },
  page: { url: 'https://shop.example/products/17', path: '/products/17', title: 'Product 17' },
});

const result = await autocannon({
  url: `${url}/write`,
  method: 'POST',
  headers: { 'content-type': 'application/json', 'x-crowdbeat-property': 'demo/site' },
  body,
  connections: Number(connections),
  duration: Number(seconds),
});
const { user, system } = process.cpuUsage();
process.stdout.write(`${JSON.stringify({ requests: result['2xx'], cpuUs: user + system })}\n`);
