/** The crowds that come with the package, as configs by name. `shop` is the plain one that runs without an option. */
import { type CrowdConfig, parseCrowdConfig } from '../crowd-config.ts';
import { shop } from '../shop.ts';
import { app } from './app.ts';
import { boutique } from './boutique.ts';
import { news } from './news.ts';

const { name, origin, entry, pages, sources, returningShare } = shop;

export const presets: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  shop: { name, origin, entry, pages, sources, returning: { share: returningShare } },
  boutique,
  news,
  app,
};

/** @throws CrowdbeatError CB_OPTION if a config of one's own breaks a rule */
export function readCrowd(input: unknown, root?: string): CrowdConfig {
  return parseCrowdConfig(input, presets, root);
}

export function presetCrowd(preset: string): CrowdConfig {
  return readCrowd({ preset });
}
