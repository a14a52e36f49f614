/** A real Chromium for tests of pages. Where there is none, whoever asks is told why; CI installs one. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';

const executable = process.env['CROWDBEAT_CHROMIUM'] ?? '/usr/bin/chromium';

/** Why there is no browser; undefined if there is one. In CI its absence is a failure, not a reason. */
export function whyNoChromium(): string | undefined {
  if (existsSync(executable)) return undefined;
  const why = `no browser at ${executable}; install chromium, or say where it is with CROWDBEAT_CHROMIUM`;
  if (process.env['CI'] === '1') throw new Error(why);
  return why;
}

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export class Browser {
  readonly #context: BrowserContext;
  readonly #profile: string;

  private constructor(context: BrowserContext, profile: string) {
    this.#context = context;
    this.#profile = profile;
  }

  static async start(): Promise<Browser> {
    const profile = mkdtempSync(join(tmpdir(), 'crowdbeat-browser-'));
    const context = await chromium.launchPersistentContext(profile, {
      executablePath: executable,
      headless: true,
      args: flags,
      // A page that asked for anything would fail, and the failure is counted.
      offline: true,
    });
    return new Browser(context, profile);
  }

  /** Opens a file and gives the page with everything that went wrong in it, and every address it asked for. */
  async open(file: string, fragment = ''): Promise<{ page: Page; faults: string[]; asked: string[] }> {
    const page = await this.#context.newPage();
    const [faults, asked]: [string[], string[]] = [[], []];
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) faults.push(message.text());
    });
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('request', (request) => asked.push(request.url()));
    await page.goto(`file://${file}${fragment}`);
    return { page, faults, asked };
  }

  async close(): Promise<void> {
    await this.#context.close();
    rmSync(this.#profile, { recursive: true, force: true });
  }
}
