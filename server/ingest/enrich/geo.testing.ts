/** Small geo databases for tests. */
import { writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { leafOf, type MmdbValue, nothing, writeMmdb } from './mmdb-writer.ts';

/** Writes an MMDB file that holds these networks (`ADDRESS/BITS`), which must not overlap. */
export function writeTestDatabase(
  file: string,
  ipVersion: 4 | 6,
  networks: Readonly<Record<string, MmdbValue>>,
  databaseType = 'Test',
): void {
  const values = Object.values(networks);
  const left: number[] = [];
  const right: number[] = [];
  const build = (inside: readonly (readonly [bits: string, value: number])[], depth: number): number => {
    const [first] = inside;
    if (first === undefined) return nothing;
    if (first[0].length === depth) return leafOf(first[1]);
    const l = build(
      inside.filter(([bits]) => bits[depth] === '0'),
      depth + 1,
    );
    const r = build(
      inside.filter(([bits]) => bits[depth] === '1'),
      depth + 1,
    );
    right.push(r);
    return left.push(l) - 1;
  };
  build(
    Object.keys(networks).map((network, value) => [prefixOf(network, ipVersion), value] as const),
    0,
  );
  const description = 'made by a test';
  const metadata = { databaseType, ipVersion, buildEpoch: Date.UTC(2026, 4, 17) / 1000, description };
  writeFileSync(file, writeMmdb({ left, right, nodeCount: left.length, values }, metadata));
}

function prefixOf(network: string, ipVersion: 4 | 6): string {
  const [address = '', bits] = network.split('/');
  if (isIP(address) === 4) {
    const all = address
      .split('.')
      .map((part) => Number(part).toString(2).padStart(8, '0'))
      .join('');
    return (ipVersion === 6 ? '0'.repeat(96) : '') + all.slice(0, Number(bits));
  }
  const [head = '', tail = ''] = address.split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const [front, back] = [groups(head), groups(tail)];
  const zeros = Array.from({ length: 8 - front.length - back.length }, () => '0');
  const all = [...front, ...zeros, ...back].map((group) =>
    Number.parseInt(group, 16).toString(2).padStart(16, '0'),
  );
  return all.join('').slice(0, Number(bits));
}
