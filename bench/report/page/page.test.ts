import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HistogramSet, IntervalLog, Recorder } from '../../../sim/measure/index.ts';
import { indexEntryOf } from '../../compare/index.ts';
import { BenchPlaces, SessionWriter } from '../../record/index.ts';
import { findResult, writeReport } from '../report.ts';
import { regressedReport } from '../reported.testing.ts';
import { Browser, whyNoChromium } from './chromium.testing.ts';

let folder = '';
let sessionFile = '';
let runFile = '';
const runId = '20261121T184609Z-0b8df9';
const made = { tool: '0.1.0', madeAt: '2026-11-21T19:00:00.000Z' };
const hostile = '</script><script>document.title="broken in"</script>';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'crowdbeat-page-'));
  sessionFile = join(folder, 'session.html');
  runFile = join(folder, 'run.html');
  writeReport({ ...made, directory: makeSession(), file: sessionFile });
  writeReport({ ...made, directory: await makeRun(runId, 3600), file: runFile });
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A session of 12 pairs, and 30 before it of which the later ones are slower. */
function makeSession(): string {
  const places = new BenchPlaces(join(folder, 'results'));
  const { stored, comparison } = regressedReport();
  const entry = indexEntryOf(stored!, comparison);
  for (let at = 0; at < 30; at += 1) {
    const factor = (1 + (at % 3) / 100) * (at < 18 ? 1 : 1.15);
    const id = `earlier-${at}`;
    const medians = Object.fromEntries(
      Object.entries(entry.medians).map(([name, us]) => [name, us * factor]),
    );
    const startedAt = new Date(Date.UTC(2026, 9, 1 + at)).toISOString();
    new SessionWriter(places, { ...stored!.session, id }).end(
      { endedAt: startedAt, guards: { invalidTrials: 0, reasons: [] }, verdict: 'SAME' },
      { ...entry, id, startedAt, verdict: 'SAME', medians },
    );
  }
  const writer = new SessionWriter(places, stored!.session);
  for (const trial of stored!.trials) writer.add(trial);
  return writer.places.directory;
}

/** A run of so many seconds, and its result with a name that tries to end the script. */
async function makeRun(id: string, seconds: number): Promise<string> {
  const directory = join(folder, 'results', id);
  mkdirSync(directory, { recursive: true });
  const log = new IntervalLog({
    path: join(directory, 'intervals.hlog'),
    startWallMs: 1_795_280_000_000,
    onStopped: (reason) => expect.fail(reason.message),
  });
  for (let second = 0; second < seconds; second += 1) {
    const set = new HistogramSet({ steadyFromMs: 0 });
    const recorder = new Recorder();
    for (const type of ['view', 'heartbeat', 'sessionStart'])
      for (let at = 1; at <= 12; at += 1) recordOne(recorder, type, second, at);
    set.add(recorder.takeInterval(1000));
    log.write(set, second * 1000, (second + 1) * 1000);
  }
  await log.close();
  writeFileSync(join(directory, 'run.json'), JSON.stringify(runResult(id, seconds)));
  return directory;
}

function recordOne(recorder: Recorder, type: string, second: number, at: number): void {
  const us = 900 * at + (second % 60) * 20;
  recorder.record(recorder.seriesOf('response', type), us);
  recorder.record(recorder.seriesOf('service', type), us * 0.8);
  recorder.record(recorder.seriesOf('lateness', type), second === 7 ? 20_000 : 300);
}

function runResult(id: string, seconds: number): unknown {
  const latency = { p50: 5.4, p90: 10, p99: 12, p999: 12, max: 12.1, mean: 6, count: 36 * seconds };
  return {
    ...{ schema: 'crowdbeat.run/1', runId: id, seed: 1, startedAt: '2026-11-21T18:46:09.000Z', end: 'ended' },
    durationMs: seconds * 1000,
    visitors: { asked: 100, peak: 99, started: 120, ended: 120 },
    events: { planned: 36 * seconds, acked: 36 * seconds },
    latencyMsAfterRamp: { response: latency, service: latency, lateness: latency },
    ramp: { perSecond: 100, overMs: 10_000 },
    generator: { valid: true, reasons: [] },
    audit: {
      ok: false,
      reasons: ['a difference'],
      checks: [{ name: 'events view', expected: 5, actual: 4, ok: false }],
    },
    environment: { cpu: 'Some CPU', cores: 2, memoryBytes: 1 },
    options: { crowd: hostile },
    notes: [hostile],
  };
}

test('a report of an hour is at most 5 MB, and a result is found by its name', () => {
  expect(statSync(runFile).size).toBeLessThan(5_000_000);
  expect(findResult(runId, join(folder, 'results'))).toBe(join(folder, 'results', runId));
  expect(() => findResult('nothing', join(folder, 'results'))).toThrow(
    /nothing: is neither a folder nor a result/,
  );
});

test('a folder of neither kind is refused with what is needed', () => {
  expect(() => writeReport({ ...made, directory: folder, file: runFile })).toThrow(
    /needs the folder of a run/,
  );
});

test('a result of another version is refused by name', () => {
  const directory = join(folder, 'newer');
  mkdirSync(directory);
  writeFileSync(join(directory, 'run.json'), '{"schema":"crowdbeat.run/9"}');
  expect(() => writeReport({ ...made, directory, file: join(folder, 'x.html') })).toThrow(
    /run\.json: schema: needs "crowdbeat\.run\/1", got "crowdbeat\.run\/9"/,
  );
});

const whyNot = whyNoChromium();
if (whyNot !== undefined) console.log(`reports are not tested in a browser: ${whyNot}`);

// Without a browser there is nothing to test; the reason was printed, and in CI it is an error.
describe.skipIf(whyNot !== undefined)('in Chromium', () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await Browser.start();
  }, 60_000);

  afterAll(() => browser?.close());

  test.each(['session', 'run'])(
    'the report of a %s draws every chart with data, without a fault or a network',
    async (kind) => {
      const file = kind === 'run' ? runFile : sessionFile;
      const { page, faults, asked } = await browser.open(file);
      const charts = await chartsOf(page);
      expect(charts.length).toBeGreaterThanOrEqual(kind === 'run' ? 7 : 18);
      for (const { id, inked, values } of charts) {
        expect(values, `${id} has figures`).toBeGreaterThan(0);
        expect(inked, `${id} is drawn`).toBeGreaterThan(30);
      }
      expect(faults).toEqual([]);
      expect(asked).toEqual([`file://${file}`]);
      await page.close();
    },
  );

  test('text of a result stays text', async () => {
    const { page, faults } = await browser.open(runFile);
    expect(await page.title()).toBe(`crowdbeat run ${runId}`);
    expect(await page.locator('#notes').innerText()).toContain(hostile);
    expect(faults).toEqual([]);
    await page.close();
  });

  test('the filter hides what does not match, stands in the address, and comes back from there', async () => {
    const { page } = await browser.open(sessionFile);
    await page.fill('#find', 'query.and p90');
    expect(await page.locator('#metrics tr.find:visible').count()).toBe(1);
    expect(await page.locator('#guards').isVisible()).toBe(false);
    const address = page.url();
    await page.close();
    const again = await browser.open(sessionFile, address.slice(address.indexOf('#')));
    expect(await again.page.locator('#metrics tr.find:visible').count()).toBe(1);
    await again.page.fill('#find', 'no such thing');
    expect(await again.page.locator('#nothing').isVisible()).toBe(true);
    await again.page.close();
  });

  test('a link leads to one chart, and a phone never scrolls sideways', async () => {
    const { page } = await browser.open(sessionFile, '#shift');
    expect(
      await page.locator('#shift').evaluate((section) => section.getBoundingClientRect().top),
    ).toBeLessThan(100);
    await page.setViewportSize({ width: 360, height: 700 });
    await expect.poll(() => page.evaluate('document.documentElement.scrollWidth')).toBe(360);
    await page.close();
  });

  test('dark and light differ, and paper is light whatever the screen is', async () => {
    const { page } = await browser.open(sessionFile);
    const paper = (): Promise<string> => page.evaluate('getComputedStyle(document.body).backgroundColor');
    await page.emulateMedia({ colorScheme: 'dark' });
    const dark = await paper();
    await page.click('#theme');
    const light = await paper();
    expect([dark, light]).toEqual(['rgb(20, 23, 26)', 'rgb(255, 255, 255)']);
    await page.click('#theme');
    await page.evaluate('dispatchEvent(new Event("beforeprint"))');
    expect(await paper()).toBe(light);
    await page.evaluate('dispatchEvent(new Event("afterprint"))');
    expect(await paper()).toBe(dark);
    await page.close();
  });
});

/** Of each chart: how many figures it has, and how many pixels are of a series: axes and grid are grey. */
function chartsOf(page: Page): Promise<{ id: string; values: number; inked: number }[]> {
  return page.evaluate(`crowdbeatReport.charts.map(({ id, series }) => {
    const canvas = document.getElementById(id).querySelector('canvas');
    const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    let inked = 0;
    for (let at = 3; at < pixels.length; at += 4) {
      const [red, green, blue] = pixels.slice(at - 3, at);
      if (Math.max(red, green, blue) - Math.min(red, green, blue) > 60) inked += 1;
    }
    return { id, inked, values: series.flatMap(({ values }) => values).filter((value) => value !== null).length };
  })`);
}
