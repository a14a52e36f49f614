/**
 * An application in the browser: people who have an account open it for work, stay for long, and have several tabs.
 * Figures are made up to be believable, not measured anywhere.
 */
export const app = {
  name: 'app',
  origin: 'https://app.example',
  entry: { login: 30, board: 45, item: 15, landing: 10 },
  pages: {
    landing: {
      path: '/',
      title: 'Welcome',
      reading: { medianMs: 12_000, sigma: 0.9 },
      next: { register: 18, login: 30, exit: 52 },
      deeds: [{ event: 'click', share: 0.25, element: { type: 'button', label: 'Watch the video' } }],
    },
    register: {
      path: '/register',
      title: 'Create an account',
      reading: { medianMs: 45_000, sigma: 0.6 },
      next: { board: 60, exit: 40 },
      deeds: [{ event: 'signup', share: 0.6 }],
    },
    login: {
      path: '/login',
      title: 'Log in',
      reading: { medianMs: 9000, sigma: 0.5 },
      next: { board: 88, exit: 12 },
      deeds: [{ event: 'login', share: 0.95 }],
    },
    board: {
      path: '/board/:n',
      title: 'Board :n',
      items: 30,
      zipfExponent: 1.3,
      reading: { scaleMs: 45_000, shape: 0.75 },
      next: { item: 48, board: 12, report: 6, settings: 3, exit: 31 },
      deeds: [
        { event: 'click', share: 0.5, element: { type: 'card', label: 'Open' } },
        { event: 'moveCard', share: 0.3 },
        { event: 'logout', share: 0.02 },
      ],
    },
    item: {
      path: '/item/:n',
      title: 'Item :n',
      items: 500,
      zipfExponent: 0.6,
      reading: { scaleMs: 70_000, shape: 0.7 },
      next: { board: 46, item: 22, report: 2, exit: 30 },
      deeds: [
        { event: 'comment', share: 0.18, data: { kind: 'text' } },
        { event: 'focus', share: 0.4, element: { type: 'field', label: 'Title' } },
        { event: 'blur', share: 0.35, element: { type: 'field', label: 'Title' } },
      ],
    },
    report: {
      path: '/report/:n',
      title: 'Report :n',
      items: 8,
      zipfExponent: 0.9,
      reading: { medianMs: 60_000, sigma: 0.8 },
      next: { board: 55, report: 20, exit: 25 },
    },
    settings: {
      path: '/settings',
      title: 'Settings',
      reading: { medianMs: 20_000, sigma: 0.8 },
      next: { board: 60, plans: 15, exit: 25 },
      deeds: [{ event: 'updateUser', share: 0.3 }],
    },
    plans: {
      path: '/plans',
      title: 'Plans',
      reading: { medianMs: 30_000, sigma: 0.7 },
      next: { settings: 40, board: 30, exit: 30 },
      deeds: [{ event: 'order', share: 0.2, order: { currency: 'USD', medianRevenue: 120, sigma: 0.6 } }],
    },
  },
  sources: [
    { weight: 70 },
    { name: 'google', weight: 10 },
    { name: 'email', campaign: 'digest', weight: 15 },
    { name: 'review-site', campaign: 'q4', weight: 5 },
  ],
  session: { maxMs: 8 * 3_600_000 },
  returning: {
    share: 0.8,
    recency: [5, 3, 2, 1],
    sources: [{ weight: 80 }, { name: 'email', campaign: 'digest', weight: 20 }],
  },
  users: { memberShare: 0.85 },
  tabs: { share: 0.08, max: 5 },
  experiments: [
    {
      id: 'short-form',
      variants: { long: 1, short: 1 },
      pages: ['register'],
      goal: 'signup',
      lift: { short: 1.25 },
    },
    { id: 'annual-first', variants: { no: 3, yes: 1 }, pages: ['plans'], goal: 'order' },
  ],
  devices: { desktop: 88, mobile: 10, tablet: 2 },
  places: { US: 45, GB: 14, DE: 12, CA: 8, AU: 6, FR: 6, NL: 5, JP: 4 },
} as const;
