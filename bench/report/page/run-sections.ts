/** The charts of one run of the crowd, from its interval log. */
import { milliseconds, type NamedHistogram, percentileChart, type Timeline, wholeOf } from './curves.ts';
import type { Chart, Section, Series } from './model.ts';
import { rounded } from './model.ts';

/** As in `sim/run/verdict.ts`: later than that, the generator measured itself. */
const latenessMsMax = 10;
const latenessMsDoubtful = 1;

const responseTag = 'response.';

export function latencySections(timeline: Timeline, rampS: number | undefined): Section[] {
  return [
    percentiles(timeline),
    overTime(timeline, rampS),
    responseAndService(timeline),
    throughput(timeline),
  ];
}

function percentiles(timeline: Timeline): Section {
  const curve = (label: string, tag: string, faint = false): NamedHistogram[] => {
    const histogram = wholeOf(timeline, tag);
    return histogram === undefined ? [] : [{ label, histogram, faint }];
  };
  const types = timeline.tags.filter((tag) => tag.startsWith(responseTag)).sort();
  return {
    id: 'percentiles',
    title: 'Latency by percentile',
    about:
      'The further right, the rarer: each decade holds a tenth of the requests of the one before. Response counts ' +
      'from the moment a visitor meant to act, service from the last sending; what lies between is waiting.',
    blocks: [
      percentileChart('percentiles-all', 'All event types', [
        ...curve('response', ''),
        ...curve('service', 'service'),
        ...curve('lateness of the generator', 'lateness', true),
      ]),
      percentileChart(
        'percentiles-by-type',
        'Response by event type',
        types.flatMap((tag) => curve(tag.slice(responseTag.length), tag)),
      ),
    ],
  };
}

function overTime(timeline: Timeline, rampS: number | undefined): Section {
  const response = timeline.bins('');
  const lateness = timeline.bins('lateness');
  const at = (quantile: number): (number | null)[] => response.map((bin) => milliseconds(bin, quantile));
  const strip = lateness.map((bin): 0 | 1 | 2 => {
    const ms = milliseconds(bin, 0.99) ?? 0;
    return ms > latenessMsMax ? 2 : ms > latenessMsDoubtful ? 1 : 0;
  });
  const series = [
    { label: 'p50', values: at(0.5) },
    { label: 'p99', values: at(0.99) },
    { label: 'maximum', values: at(1), faint: true },
  ];
  return {
    id: 'over-time',
    title: 'Latency over time',
    about:
      `The strip below is the generator's own health: amber where its lateness p99 was above ${latenessMsDoubtful} ms, ` +
      `red above ${latenessMsMax} ms. What is slow above a red strip says nothing about the collector.`,
    blocks: [
      {
        ...timeChart(timeline, 'over-time-response', 'Response', 'ms', series, rampS),
        strip: { label: 'generator', values: strip },
      },
    ],
  };
}

function responseAndService(timeline: Timeline): Section {
  const p99 = (tag: string): (number | null)[] => timeline.bins(tag).map((bin) => milliseconds(bin, 0.99));
  const series = [
    { label: 'response p99', values: p99('') },
    { label: 'service p99', values: p99('service') },
    { label: 'waiting for a connection p99', values: p99('blocked'), faint: true },
  ];
  return {
    id: 'response-service',
    title: 'Response against service',
    about:
      'A client that counts from the moment it sends sees the service time only. The gap is what visitors waited ' +
      'and such a client never shows.',
    blocks: [timeChart(timeline, 'response-service-p99', 'p99 of both', 'ms', series)],
  };
}

function throughput(timeline: Timeline): Section {
  const perSecond = (tag: string): (number | null)[] =>
    timeline.bins(tag).map((bin, at) => {
      const seconds = timeline.lengthS[at] as number;
      return seconds > 0 ? rounded((bin?.total ?? 0) / seconds) : null;
    });
  const types = timeline.tags.filter((tag) => tag.startsWith(responseTag)).sort();
  const named = (tag: string): Series => ({ label: tag.slice(responseTag.length), values: perSecond(tag) });
  const visits = types.filter((tag) => tag === 'response.sessionStart' || tag === 'response.sessionEnd');
  return {
    id: 'throughput',
    title: 'Throughput and visitors',
    about:
      'Events that were answered, by the second in which they were. A session starts when a visitor arrives.',
    blocks: [
      timeChart(timeline, 'throughput-events', 'Events a second', '/s', [
        { label: 'all', values: perSecond('') },
        ...types.map(named),
      ]),
      ...(visits.length === 0
        ? []
        : [
            timeChart(
              timeline,
              'visitors-arrivals',
              'Visitors arriving and leaving a second',
              '/s',
              visits.map(named),
            ),
          ]),
    ],
  };
}

function timeChart(
  timeline: Timeline,
  id: string,
  title: string,
  unit: string,
  series: readonly Series[],
  rampS?: number,
): Chart {
  return {
    ...{ kind: 'chart', id, title, xs: timeline.startS, series },
    x: { label: 'time of the run', kind: 'seconds' },
    y: { label: title, unit },
    ...(rampS === undefined ? {} : { marks: [{ x: rampS, label: 'end of the ramp' }] }),
  };
}
