/**
 * A news site: many come for one article, from search and social networks, and read it on a phone. Reading times of
 * articles are Weibull with a shape below 1. Figures are made up to be believable, not measured anywhere.
 */
import { commonBots } from './bots.ts';

export const news = {
  name: 'news',
  origin: 'https://news.example',
  entry: { article: 62, front: 30, section: 6, live: 2 },
  pages: {
    front: {
      path: '/',
      title: 'Front page',
      reading: { scaleMs: 22_000, shape: 0.8 },
      next: { article: 52, section: 14, live: 4, search: 2, exit: 28 },
      deeds: [
        { event: 'click', share: 0.12, element: { type: 'banner', label: 'Subscribe' } },
        { event: 'login', share: 0.1 },
      ],
    },
    section: {
      path: '/section/:n',
      title: 'Section :n',
      items: 14,
      zipfExponent: 0.8,
      reading: { scaleMs: 15_000, shape: 0.85 },
      next: { article: 56, section: 10, front: 9, exit: 25 },
    },
    article: {
      path: '/article/:n',
      title: 'Article :n',
      items: 1200,
      zipfExponent: 1.05,
      reading: { scaleMs: 52_000, shape: 0.72 },
      next: { article: 21, front: 10, section: 6, subscribe: 1, exit: 62 },
      deeds: [
        { event: 'click', share: 0.06, element: { type: 'link', label: 'Related' } },
        { event: 'share', share: 0.015, data: { network: 'copy link' } },
        { event: 'interest', share: 0.08, interest: { name: 'politics' } },
        { event: 'logout', share: 0.002 },
      ],
    },
    live: {
      path: '/live/:n',
      title: 'Live blog :n',
      items: 4,
      zipfExponent: 1.2,
      reading: { scaleMs: 240_000, shape: 0.6 },
      next: { article: 18, front: 12, exit: 70 },
    },
    search: {
      path: '/search',
      title: 'Search',
      reading: { medianMs: 9000, sigma: 0.7 },
      next: { article: 62, search: 16, exit: 22 },
    },
    subscribe: {
      path: '/subscribe',
      title: 'Subscribe',
      reading: { medianMs: 25_000, sigma: 0.8 },
      next: { front: 25, article: 25, exit: 50 },
      deeds: [
        { event: 'signup', share: 0.22 },
        { event: 'order', share: 0.08, order: { currency: 'EUR', medianRevenue: 9.9, sigma: 0.2 } },
      ],
    },
  },
  sources: [
    { weight: 24 },
    { name: 'google', weight: 34 },
    { name: 'google-discover', weight: 12 },
    { name: 'facebook', weight: 10 },
    { name: 'push', campaign: 'breaking', weight: 9 },
    { name: 'newsletter', campaign: 'morning', weight: 7 },
    { name: 'x', weight: 4 },
  ],
  session: { maxMs: 7_200_000 },
  returning: {
    share: 0.55,
    recency: [8, 4, 2, 1],
    sources: [
      { weight: 55 },
      { name: 'push', campaign: 'breaking', weight: 25 },
      { name: 'newsletter', campaign: 'morning', weight: 20 },
    ],
  },
  users: { memberShare: 0.06 },
  tabs: { share: 0.05, max: 4 },
  experiments: [
    {
      id: 'banner-colour',
      variants: { grey: 50, yellow: 50 },
      pages: ['front'],
      goal: 'click',
      lift: { yellow: 1.3 },
    },
  ],
  bots: { share: 0.09, kinds: commonBots },
  devices: { mobile: 70, desktop: 26, tablet: 4 },
  places: { DE: 62, US: 9, GB: 7, FR: 6, NL: 5, ES: 4, IT: 4, PL: 3 },
} as const;
