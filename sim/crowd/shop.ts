/**
 * The built-in site: a shop. Its figures are made up to be believable, not measured anywhere. In closed
 * form (see closed-form.ts) a visit has 4.9 pages and lasts 86 s on average, 29 % of visits see one page
 * only, and a page is read for 17.6 s on average.
 */
import { parseSite, type Site } from './site.ts';

export const shop: Site = parseSite({
  name: 'shop',
  origin: 'https://shop.example',
  entry: { home: 40, product: 25, category: 15, offers: 12, guide: 8 },
  pages: {
    home: {
      path: '/',
      title: 'Home',
      reading: { medianMs: 7000, sigma: 0.9 },
      next: { category: 40, search: 18, product: 14, offers: 6, account: 4, exit: 42 },
    },
    offers: {
      path: '/offers',
      title: 'Offers of the week',
      reading: { medianMs: 9000, sigma: 0.9 },
      next: { product: 45, category: 15, home: 4, exit: 48 },
    },
    guide: {
      path: '/guides/:n',
      title: 'Buying guide :n',
      items: 40,
      zipfExponent: 1,
      reading: { medianMs: 35_000, sigma: 1 },
      next: { product: 25, guide: 12, category: 10, exit: 55 },
    },
    category: {
      path: '/category/:n',
      title: 'Category :n',
      items: 24,
      zipfExponent: 0.7,
      reading: { medianMs: 9000, sigma: 0.8 },
      next: { product: 60, category: 18, search: 6, home: 3, exit: 8 },
    },
    search: {
      path: '/search',
      title: 'Search',
      reading: { medianMs: 7000, sigma: 0.7 },
      next: { product: 58, search: 20, category: 6, exit: 7 },
    },
    product: {
      path: '/product/:n',
      title: 'Product :n',
      items: 400,
      zipfExponent: 0.9,
      reading: { medianMs: 13_000, sigma: 0.9 },
      next: { product: 34, category: 22, cart: 13, search: 6, guide: 3, home: 4, exit: 19 },
    },
    cart: {
      path: '/cart',
      title: 'Cart',
      reading: { medianMs: 10_000, sigma: 0.8 },
      next: { checkout: 45, product: 20, category: 12, exit: 18 },
    },
    checkout: {
      path: '/checkout',
      title: 'Checkout',
      reading: { medianMs: 40_000, sigma: 0.7 },
      next: { thanks: 70, cart: 12, exit: 18 },
    },
    thanks: {
      path: '/checkout/thanks',
      title: 'Thank you',
      reading: { medianMs: 6000, sigma: 0.7 },
      next: { home: 10, account: 8, exit: 82 },
    },
    account: {
      path: '/account',
      title: 'Your account',
      reading: { medianMs: 12_000, sigma: 0.9 },
      next: { account: 15, home: 15, category: 25, exit: 30 },
    },
  },
  sources: [
    { weight: 30 },
    { name: 'google', weight: 28 },
    { name: 'google', campaign: 'brand', weight: 8 },
    { name: 'newsletter', campaign: 'spring', weight: 10 },
    { name: 'newsletter', campaign: 'sale', weight: 6 },
    { name: 'instagram', campaign: 'spring', weight: 9 },
    { name: 'price-comparison', weight: 6 },
    { name: 'partner', campaign: 'sale', weight: 3 },
  ],
  returningShare: 0.35,
});
