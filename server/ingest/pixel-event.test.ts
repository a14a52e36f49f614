import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rejectReasons } from '../protocol/event.ts';
import { receipt } from './event.testing.ts';
import { pixelEvent } from './pixel-event.ts';
import { readEvent } from './read-event.ts';

const plain = (query: string): unknown => {
  const event = pixelEvent(query, ['property']);
  return typeof event === 'string' ? event : JSON.parse(JSON.stringify(event));
};
/** What Aktivat's tracker sends with every event; the page had no arguments. */
const config =
  'config_account=7&config_screen_width=1440&config_screen_height=900&config_cookies_session=s-1' +
  '&config_cookies_v_visitor=v-1&config_tab=t-1&hostname=shop.example&path=%2Fhats&hash=&args_=undefined&event_id=e-1';
const common = {
  session: { id: 's-1' },
  visitor: { id: 'v-1' },
  tab: { id: 't-1' },
  screen: { width: 1440, height: 900 },
  page: { hostname: 'shop.example', path: '/hats' },
};

describe('the query of Aktivat’s tracker', () => {
  it('of a loaded page is a view with its load time', () => {
    expect(plain(`trackr_event_type=trackr_pageloaded_event&trackr_page_loadtime=312&${config}`)).toEqual({
      ...common,
      event: { type: 'view', id: 'e-1' },
      page: { ...common.page, loadMs: 312 },
    });
  });

  it.each(['-1700000000000', 'NaN', 'undefined', '9e99'])(
    'keeps the view and not a load time of %s',
    (ms) => {
      expect(plain(`trackr_event_type=trackr_pageloaded_event&trackr_page_loadtime=${ms}&${config}`)).toEqual(
        {
          ...common,
          event: { type: 'view', id: 'e-1' },
        },
      );
    },
  );

  it.each(['click', 'mouseover', 'focus', 'blur', 'keyup'])(
    'of a %s has the element, not what was typed',
    (type) => {
      const query =
        `trackr_event_type=trackr_element_event&trackr_element_event=${type}&trackr_element_label=Buy+me` +
        `&trackr_element_position=3&trackr_element_type=button&trackr_element_value=secret&trackr_element_char=65`;
      expect(plain(`${query}&${config}`)).toEqual({
        ...common,
        event: { type, id: 'e-1' },
        element: { type: 'button', label: 'Buy me', position: 3 },
      });
    },
  );

  it('of a visit’s end has its duration', () => {
    const query = `trackr_event_type=trackr_visitDuration_event&trackr_visit_time=65000&${config}`;
    expect(plain(query)).toMatchObject({ event: { type: 'visitDuration' }, visit: { durationMs: 65_000 } });
  });

  it('of a user takes the id from the cookie and everything else for the user’s data', () => {
    const user = 'config_cookies_visitor=u-7&name=Ann&address_city=Bonn&signupDate=1384900000';
    const data = { name: 'Ann', address_city: 'Bonn' };
    expect(plain(`trackr_event_type=trackr_signupUser_event&${user}&${config}`)).toEqual({
      ...common,
      event: { type: 'signup', id: 'e-1' },
      user: { id: 'u-7', signupDate: 1_384_900_000, data },
    });
    expect(plain(`trackr_event_type=trackr_loginUser_event&${user}&${config}`)).toMatchObject({
      event: { type: 'loginAndImport' },
      user: { id: 'u-7', signupDate: 1_384_900_000, data },
    });
    expect(plain(`trackr_event_type=trackr_loginUser_event&config_cookies_visitor=u-7&${config}`)).toEqual({
      ...common,
      event: { type: 'login', id: 'e-1' },
      user: { id: 'u-7' },
    });
    expect(plain(`trackr_event_type=trackr_updateUser_event&plan=pro&${config}`)).toMatchObject({
      event: { type: 'updateUser' },
      user: { data: { plan: 'pro' } },
    });
    expect(plain(`trackr_event_type=trackr_logoutUser_event&${config}`)).toMatchObject({
      event: { type: 'logout' },
    });
  });

  it('names sources by the arguments of the page', () => {
    const args = 'args_utm_source=mail&args_utm_campaign=spring&args_q=red+hats&args_x.y=1';
    expect(plain(`trackr_event_type=trackr_pageloaded_event&${args}&${config}`)).toMatchObject({
      source: { name: 'mail', campaign: 'spring' },
      page: { args: { utm_source: 'mail', q: 'red hats' } },
    });
  });

  it('keeps further members of an event of the site’s own as its data', () => {
    expect(plain(`trackr_event_type=trackr_wishlist_event&sku=H7&_=123&${config}`)).toMatchObject({
      event: { type: 'wishlist', data: { sku: 'H7' } },
    });
  });
});

describe('the dotted query', () => {
  it('is an event with members of those names', () => {
    const query =
      'property=a/b&event.type=order&event.time=1795280000000&event.seq=2&session.id=s&visitor.id=007' +
      '&order.id=12&order.revenue=99.5&order.currency=EUR&order.items=%5B%7B%22id%22%3A%22h%22%7D%5D';
    expect(plain(query)).toEqual({
      event: { type: 'order', time: 1_795_280_000_000, seq: 2 },
      session: { id: 's' },
      visitor: { id: '007' },
      order: { id: '12', revenue: 99.5, currency: 'EUR', items: [{ id: 'h' }] },
    });
  });

  it('of a login stays one, whatever it says of the user', () => {
    const query =
      'event.type=login&visitor.id=v&user.id=u&user.signupDate=1384900000&user.data=%7B%22a%22%3A1%7D';
    expect(plain(query)).toMatchObject({ event: { type: 'login' }, user: { id: 'u', data: { a: 1 } } });
  });

  it.each([
    ['malformed_query', 'event.type=%ff'],
    ['malformed_query', '%=1'],
    ['malformed_query', 'event.type=view&event.type=click'],
    ['malformed_query', 'event.type=view&trackr_event_type=trackr_pageloaded_event'],
    ['malformed_query', 'page.path=/&page.path.deep=1'],
    ['malformed_query', 'page.path.deep=1&page.path=/'],
    ['malformed_query', 'order.items=[1]&order.items.x=1'],
    ['too_deep', 'a.b.c.d.e.f.g.h.i=1'],
    ['too_many_members', Array.from({ length: 641 }, (_none, i) => `event.data.m${i}=1`).join('&')],
  ])('is rejected with %s: %s', (reason, query) => {
    expect(pixelEvent(query, [])).toBe(reason);
  });

  it.each(['__proto__.x=1', 'event.__proto__=1', 'page.constructor.x=1', 'args___proto__=1', '__proto__=1'])(
    'reaches no prototype by %s',
    (member) => {
      const event = pixelEvent(`event.type=view&visitor.id=v&${member}`, []);
      expect(readEvent(event, undefined, receipt)).toBe('forbidden_name');
      expect(({} as Record<string, unknown>)['x']).toBeUndefined();
    },
  );

  it('becomes an event or a reason, whatever it holds', () => {
    const names = fc.constantFrom(
      'event.type',
      'trackr_event_type',
      'visitor.id',
      'a',
      'a.b',
      'args_x',
      'user.data',
      'further',
    );
    const part = fc
      .tuple(fc.oneof(names, fc.string()), fc.string())
      .map(([name, value]) => `${name}=${value}`);
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        const event = pixelEvent(parts.join('&'), []);
        const read = typeof event === 'string' ? event : readEvent(event, undefined, receipt);
        if (typeof read === 'string') expect(rejectReasons).toHaveProperty(read);
        else expect(JSON.parse(read.json)).toHaveProperty('_m1');
      }),
      { numRuns: 500 },
    );
  });
});
