/**
 * Where a visitor's requests come from: an address in a network that providers of its country give to homes and
 * phones. Each block is 65,536 addresses of which DB-IP's City Lite of June 2026 places every one that was looked
 * at in that country (128 a block). It follows from slot and person alone, so whoever returns has the same one.
 */
import type { Person } from '../crowd/visitor.ts';

const blocks: Readonly<Record<string, readonly string[]>> = {
  US: '73.0 73.43 73.86 73.129 73.172 73.215 98.194 98.237 71.80 76.107'.split(' '),
  DE: '84.128 84.160 91.0 91.32 93.192 93.224 79.192 79.224 87.128 87.160'.split(' '),
  GB: '86.128 86.141 86.154 86.167 86.180 81.129 81.142 81.155 90.196 90.209'.split(' '),
  FR: '90.0 90.24 90.48 90.76 90.102 90.125 86.207 86.229 86.251 92.148'.split(' '),
  IN: '117.192 117.204 117.216 117.228 117.240 117.252 49.40 106.196 106.208 106.220'.split(' '),
  JP: '126.0 126.39 126.79 126.118 126.157 126.198 126.244 153.155 153.194 153.233'.split(' '),
  BR: '177.9 177.55 177.98 177.139 177.181 187.8 187.56 187.101 189.21 189.68'.split(' '),
  ES: '83.32 83.40 83.48 83.56 88.0 88.8 88.16 88.24 80.24 80.32'.split(' '),
  IT: '79.0 79.11 79.22 79.33 79.44 79.55 87.2 87.13 87.24 82.51'.split(' '),
  NL: '77.160 77.165 77.170 77.175 84.84 86.81 86.86 86.91 145.120 145.125'.split(' '),
  PL: '83.0 83.4 83.8 83.12 83.16 83.20 83.24 83.28 79.184 79.188'.split(' '),
  CA: '70.48 70.55 70.71 70.78 99.225 99.232 99.239 99.246 99.253 24.68'.split(' '),
  AU: '1.120 1.130 1.140 1.150 58.160 58.170 101.164 101.175 101.185 120.147'.split(' '),
};

/** For countries that the table doesn't know: RFC 5737's block for documentation, which is nowhere. */
const nowhere = ['203.0'];

/** Dotted IPv4. 254 x 254 hosts in each block; hosts 0 and 255 are left out, as they look like mistakes. */
export function addressOf(slot: number, { number, profile }: Pick<Person, 'number' | 'profile'>): string {
  const mixed = mix(mix(slot + 1) ^ number);
  const own = blocks[profile.countryCode] ?? nowhere;
  const block = own[mixed % own.length] as string;
  const host = Math.floor(mixed / own.length) % (254 * 254);
  const third = block === nowhere[0] ? 113 : 1 + Math.floor(host / 254);
  return `${block}.${third}.${1 + (host % 254)}`;
}

/** Spreads neighbouring numbers over 32 bits (the finaliser of MurmurHash3, Austin Appleby, public domain). */
function mix(value: number): number {
  let bits = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
