/**
 * Browsers as they name themselves today: the frozen forms of Chromium (user-agent reduction: version
 * `.0.0.0`, Android `10; K`), Firefox and Safari. Weights are made up, near public usage statistics.
 * `{v}` becomes one of `versions`; `{v_}` the same with underscores.
 */
import type { Profile } from './profile.ts';

export interface DeviceKind {
  readonly weight: number;
  readonly device: Profile['device'];
  readonly browser: string;
  readonly os: string;
  readonly userAgent: string;
  readonly versions: readonly string[];
  readonly screens: readonly string[];
}

const chromium = 'AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{v}.0.0.0';
const webkit = 'AppleWebKit/605.1.15 (KHTML, like Gecko)';
const chromeVersions = ['138', '139', '140', '141', '142'];
const firefoxVersions = ['140', '143', '144', '145'];
const iosVersions = ['17.6', '18.5', '18.6', '26.1'];
const desktopScreens = ['1920x1080', '1920x1080', '1536x864', '2560x1440', '1366x768'];
const macScreens = ['1440x900', '1512x982', '1728x1117', '2560x1440'];
const androidScreens = ['360x800', '384x832', '412x915', '393x873'];
const iphoneScreens = ['390x844', '393x852', '402x874', '430x932'];

export const deviceKinds: readonly DeviceKind[] = [
  {
    weight: 26,
    device: 'desktop',
    browser: 'Chrome',
    os: 'Windows',
    userAgent: `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${chromium} Safari/537.36`,
    versions: chromeVersions,
    screens: desktopScreens,
  },
  {
    weight: 6,
    device: 'desktop',
    browser: 'Edge',
    os: 'Windows',
    userAgent: `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${chromium} Safari/537.36 Edg/{v}.0.0.0`,
    versions: chromeVersions,
    screens: desktopScreens,
  },
  {
    weight: 4,
    device: 'desktop',
    browser: 'Firefox',
    os: 'Windows',
    userAgent: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:{v}.0) Gecko/20100101 Firefox/{v}.0',
    versions: firefoxVersions,
    screens: desktopScreens,
  },
  {
    weight: 2,
    device: 'desktop',
    browser: 'Firefox',
    os: 'Linux',
    userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:{v}.0) Gecko/20100101 Firefox/{v}.0',
    versions: firefoxVersions,
    screens: desktopScreens,
  },
  {
    weight: 5,
    device: 'desktop',
    browser: 'Chrome',
    os: 'macOS',
    userAgent: `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${chromium} Safari/537.36`,
    versions: chromeVersions,
    screens: macScreens,
  },
  {
    weight: 6,
    device: 'desktop',
    browser: 'Safari',
    os: 'macOS',
    userAgent: `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${webkit} Version/{v} Safari/605.1.15`,
    versions: iosVersions,
    screens: macScreens,
  },
  {
    weight: 28,
    device: 'mobile',
    browser: 'Chrome',
    os: 'Android',
    userAgent: `Mozilla/5.0 (Linux; Android 10; K) ${chromium} Mobile Safari/537.36`,
    versions: chromeVersions,
    screens: androidScreens,
  },
  {
    weight: 2,
    device: 'tablet',
    browser: 'Chrome',
    os: 'Android',
    userAgent: `Mozilla/5.0 (Linux; Android 10; K) ${chromium} Safari/537.36`,
    versions: chromeVersions,
    screens: ['800x1280', '820x1180'],
  },
  {
    weight: 21,
    device: 'mobile',
    browser: 'Safari',
    os: 'iOS',
    userAgent: `Mozilla/5.0 (iPhone; CPU iPhone OS {v_} like Mac OS X) ${webkit} Version/{v} Mobile/15E148 Safari/604.1`,
    versions: iosVersions,
    screens: iphoneScreens,
  },
];
