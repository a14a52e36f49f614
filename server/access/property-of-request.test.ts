import { describe, expect, it } from 'vitest';
import { propertyOfRequest } from './property-of-request.ts';

describe('propertyOfRequest', () => {
  it('answers demo/site when a request names no property', () => {
    expect(propertyOfRequest(undefined, undefined)).toEqual({ account: 'demo', property: 'site' });
  });

  it('reads the header and the query parameter alike', () => {
    const shop = { account: 'acme', property: 'shop' };
    expect(propertyOfRequest('acme/shop', undefined)).toEqual(shop);
    expect(propertyOfRequest(undefined, 'acme/shop')).toEqual(shop);
    expect(propertyOfRequest('acme/shop', 'acme/shop')).toEqual(shop);
  });

  it('finds one property for one non-ASCII name, in the header and in the parameter', () => {
    const asLatin1 = Buffer.from('acme/größe', 'utf8').toString('latin1');
    expect(propertyOfRequest(asLatin1, undefined)).toEqual(propertyOfRequest(undefined, 'acme/größe'));
    expect(propertyOfRequest(asLatin1, undefined)).toEqual({ account: 'acme', property: 'größe' });
  });

  it('refuses a header that is not UTF-8', () => {
    expect(propertyOfRequest('acme/gr\u00f6\u00dfe', undefined)).toMatchObject({
      status: 400,
      code: 'bad_property',
    });
  });

  it.each(['', 'acme', '/shop', 'acme/', 'a/b/c', `${'a'.repeat(129)}/shop`])(
    'refuses the malformed name "%s"',
    (name) => {
      expect(propertyOfRequest(name, undefined)).toMatchObject({ status: 400, code: 'bad_property' });
      expect(propertyOfRequest(undefined, name)).toMatchObject({ status: 400, code: 'bad_property' });
    },
  );

  it('refuses two different properties in one request', () => {
    const reply = propertyOfRequest('acme/shop', 'acme/blog');
    expect(reply).toMatchObject({ status: 400 });
    expect('message' in reply && reply.message).toContain('"acme/shop" but property= says "acme/blog"');
  });
});
