import { describe, expect, it } from 'vitest';
import { matches } from './matches.ts';
import { parseLucene } from './parse.ts';
import { isLuceneError } from './query.ts';

const nowMs = Date.UTC(2026, 10, 21, 17);

const document = {
  event: { type: 'view', time: '2026-11-21T16:58:00Z', seq: 3 },
  visitor: { id: '0042' },
  page: { path: '/shop', title: 'A shop: "yes"', loadMs: 300 },
  user: null,
  bot: false,
  tags: ['red', 'green', [7]],
  items: [{ price: 1, name: 'x' }, { price: 20 }, 'loose'],
  empty: '',
  none: [],
  _m1: { receivedUTC: nowMs - 60_000 },
};

function isFound(text: string): boolean {
  const query = parseLucene(text, { nowMs });
  if (isLuceneError(query)) throw new Error(query.message);
  return matches(query, document);
}

describe('matches', () => {
  it.each([
    ['*'],
    ['type:view'],
    ['event.type:(click OR view)'],
    ['page.path:"/shop"'],
    ['page.path:\\/sh*'],
    ['page.title:"A shop: \\"yes\\""'],
    ['page.loadMs:300'],
    ['page.loadMs:300.0'],
    ['page.loadMs:3e2'],
    ['page.loadMs:"300"'],
    ['page.loadMs:[300 TO *]'],
    ['page.loadMs:{299 TO 300]'],
    ['visitor.id:0042'],
    ['bot:false'],
    ['bot:*'],
    ['tags:green'],
    ['tags:7'],
    ['items.price:20'],
    ['items.price:[2 TO 30]'],
    ['items:loose'],
    ['empty:""'],
    ['empty:*'],
    ['_m1.receivedUTC:[NOW-5MINUTES TO NOW]'],
    ['event.time:[NOW-5MINUTES TO NOW]'],
    ['event.time:"2026-11-21T17:58:00+01:00"'],
    ['event.time:1795280280000'],
    ['_m1.receivedUTC:"2026-11-21T16:59:00.000Z"'],
    ['event.type:[a TO w]'],
    ['-user:*'],
    ['NOT type:click'],
    ['type:click OR -type:click'],
  ])('%s finds the document', (text) => {
    expect(isFound(text)).toBe(true);
  });

  it.each([
    ['type:View'],
    ['type:vie'],
    ['page.path:shop'],
    ['page.loadMs:{300 TO *]'],
    ['page.loadMs:3*'],
    ['page.loadMs:[3 TO 299]'],
    ['page.loadMs:[a TO z]'],
    ['visitor.id:42'],
    ['visitor.id:[0 TO 100]'],
    ['bot:true'],
    ['user:*'],
    ['page:*'],
    ['none:*'],
    ['items.price:[2 TO 19]'],
    ['page.path.length:5'],
    ['toString:*'],
    ['__proto__.toString:*'],
    ['tags.length:*'],
    ['event.type:[a TO view}'],
    ['-type:view'],
    ['type:view -page.path:"/shop"'],
    ['+type:click page.path:"/shop"'],
    ['_m1.receivedUTC:[* TO NOW-5MINUTES]'],
  ])('%s does not find it', (text) => {
    expect(isFound(text)).toBe(false);
  });

  it('holds texts beyond 16 bits above all others, as their bytes are', () => {
    const query = parseLucene('a:[\uff5e TO *]');
    if (isLuceneError(query)) throw new Error(query.message);
    expect(matches(query, { a: '\u{1f600}' })).toBe(true);
    expect(matches(query, { a: '\u3042' })).toBe(false);
  });
});
