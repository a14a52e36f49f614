/** Bots that name themselves, in the words of their makers' own pages. Weights and paces are made up. */
const engine = 'Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko';

export const commonBots = [
  {
    name: 'Googlebot',
    weight: 5,
    userAgent: `${engine}; compatible; Googlebot/2.1; +http://www.google.com/bot.html) Chrome/141.0.0.0 Safari/537.36`,
    pages: 12,
    pace: { medianMs: 4000, sigma: 0.6 },
  },
  {
    name: 'bingbot',
    weight: 3,
    userAgent: `${engine}; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) Chrome/136.0.0.0 Safari/537.36`,
    pages: 6,
    pace: { medianMs: 7000, sigma: 0.8 },
  },
  {
    name: 'GPTBot',
    weight: 4,
    userAgent: `${engine}; compatible; GPTBot/1.2; +https://openai.com/gptbot)`,
    pages: 30,
    pace: { medianMs: 900, sigma: 0.5 },
  },
  {
    name: 'UptimeRobot',
    weight: 2,
    userAgent: 'Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)',
    pages: 1,
    pace: { medianMs: 500, sigma: 0.2 },
  },
  {
    name: 'HeadlessChrome',
    weight: 2,
    userAgent:
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/141.0.0.0 Safari/537.36',
    pages: 5,
    pace: { medianMs: 2500, sigma: 0.3 },
    heartbeats: true,
  },
] as const;
