/**
 * The shop with all that people do in one: clicks, the cart, orders, accounts, an experiment, tabs, bots. Pages,
 * reading times and sources are the shop's own, so that what it costs can be compared.
 */
import { shop } from '../shop.ts';
import { commonBots } from './bots.ts';

const { home, offers, guide, category, search, product, cart, checkout, thanks, account } = shop.pages;

export const boutique = {
  name: 'boutique',
  origin: shop.origin,
  entry: shop.entry,
  pages: {
    home: {
      ...home,
      deeds: [{ event: 'click', share: 0.2, element: { type: 'banner', label: 'Offers of the week' } }],
    },
    offers,
    guide,
    category: {
      ...category,
      deeds: [{ event: 'click', share: 0.25, element: { type: 'filter', label: 'Size', position: 2 } }],
    },
    search,
    product: {
      ...product,
      deeds: [
        { event: 'click', share: 0.35, element: { type: 'image', label: 'Enlarge', position: 1 } },
        { event: 'addToCart', share: 0.12 },
        { event: 'interest', share: 0.05, interest: { name: 'wishlist' } },
      ],
    },
    cart: {
      ...cart,
      deeds: [{ event: 'click', share: 0.5, element: { type: 'button', label: 'To the checkout' } }],
    },
    checkout: {
      ...checkout,
      deeds: [
        { event: 'login', share: 0.8 },
        { event: 'signup', share: 0.3 },
      ],
    },
    thanks: {
      ...thanks,
      deeds: [
        { event: 'order', share: 1, at: 'open', order: { currency: 'EUR', medianRevenue: 59, sigma: 0.7 } },
      ],
    },
    account: {
      ...account,
      deeds: [
        { event: 'login', share: 0.7 },
        { event: 'signup', share: 0.15 },
        { event: 'updateUser', share: 0.1 },
        { event: 'logout', share: 0.1 },
      ],
    },
  },
  sources: shop.sources,
  returning: { share: shop.returningShare, recency: [4, 3, 2, 1] },
  users: { memberShare: 0.3 },
  tabs: { share: 0.06, max: 4 },
  experiments: [
    {
      id: 'checkout-2',
      variants: { A: 50, B: 50 },
      pages: ['product'],
      goal: 'addToCart',
      lift: { B: 1.15 },
    },
  ],
  bots: { share: 0.06, kinds: commonBots },
  devices: { mobile: 55, desktop: 41, tablet: 4 },
};
