/**
 * The script of a report, put into the page as it is: draws the charts when they come into sight, filters, keeps the
 * filter in the address, and draws again for another theme, another width, and paper.
 */
(() => {
  const uPlot = globalThis.uPlot;
  const charts = JSON.parse(document.getElementById('charts').textContent);
  const root = document.documentElement;
  const drawn = new Map();

  const color = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
  const stripColors = ['good', 'warn', 'bad'];

  /** 0.5 ms, 12 ms, 3.2 s: short enough for an axis. */
  function shown(value, unit) {
    if (value === null || value === undefined) return '–';
    if (unit === 'ms' && Math.abs(value) >= 1000) return `${Number((value / 1000).toPrecision(3))} s`;
    const digits =
      Math.abs(value) >= 1000 ? Math.round(value).toLocaleString('en-GB') : Number(value.toPrecision(3));
    return unit === '%' || unit === '/s' ? `${digits}${unit}` : `${digits} ${unit}`;
  }

  /** 1/(1-p) as p: 10 is 90 %, 1000 is 99.9 %. */
  function percentOf(x) {
    const digits = Math.max(0, Math.ceil(Math.log10(x)) - 2);
    return `${(100 * (1 - 1 / x)).toFixed(Math.min(6, digits + (x > 10 && Math.log10(x) % 1 > 0.01 ? 1 : 0)))}%`;
  }

  function secondsText(value) {
    const seconds = Math.round(value);
    const minutes = Math.floor(seconds / 60);
    return minutes === 0 ? `${seconds} s` : `${minutes}:${String(seconds % 60).padStart(2, '0')}`;
  }

  function xText(kind, value) {
    if (value === null || value === undefined) return '–';
    if (kind === 'percentile') return percentOf(value);
    if (kind === 'seconds') return secondsText(value);
    return kind === 'date'
      ? new Date(value * 1000).toISOString().slice(0, 16).replace('T', ' ')
      : String(value);
  }

  function xAxis({ x }) {
    const axis = {
      stroke: color('soft'),
      grid: { stroke: color('line'), width: 1 },
      ticks: { stroke: color('line') },
    };
    if (x.kind === 'date') return { ...axis, space: 90 };
    const values = (_plot, splits) => splits.map((split) => (split === null ? '' : xText(x.kind, split)));
    if (x.kind !== 'percentile') return { ...axis, values };
    const decades = (_plot, _axis, _least, most) =>
      Array.from({ length: Math.floor(Math.log10(most) + 1e-6) + 1 }, (_, power) => 10 ** power);
    return { ...axis, splits: decades, values, filter: (_plot, splits) => splits };
  }

  function seriesOptions(chart) {
    let shade = -1;
    return chart.series.map((one) => {
      if (one.band !== true) shade += 1;
      const stroke = color(`s${shade % 6}`);
      return {
        label: one.label,
        stroke,
        width: one.faint ? 1 : 2,
        ...(one.faint ? { dash: [5, 4] } : {}),
        spanGaps: false,
        value: (_plot, value) => shown(value, chart.y.unit),
        points: { show: one.dots === true, size: 8, fill: stroke },
        ...(one.dots === true && chart.x.kind === 'number' ? { paths: () => null } : {}),
      };
    });
  }

  /** The scale of y: with room for levels and areas, which uPlot doesn't know of. */
  function yRange(chart) {
    const extra = [
      ...(chart.levels ?? []).map(({ y }) => y),
      ...(chart.areas ?? []).flatMap(({ from, to }) => [from, to]),
    ];
    return (_plot, least, most) => {
      const all = [least, most, ...extra].filter((value) => value !== null && Number.isFinite(value));
      if (all.length === 0) return [0, 1];
      const [low, high] = [Math.min(...all), Math.max(...all)];
      const room = (high - low || Math.abs(high) || 1) * 0.08;
      return [extra.length === 0 && low >= 0 ? 0 : low - room, high + room];
    };
  }

  /** Decades, and with few of them 2 and 5 between, instead of a line for every digit. */
  function logSplits(_plot, _axis, least, most) {
    const [from, to] = [Math.floor(Math.log10(least)), Math.ceil(Math.log10(most))];
    const digits = to - from > 3 ? [1] : [1, 2, 5];
    const all = Array.from({ length: to - from + 1 }, (_, at) =>
      digits.map((digit) => digit * 10 ** (from + at)),
    ).flat();
    return all.filter((value) => value >= least * 0.999 && value <= most * 1.001);
  }

  function under(chart) {
    return (plot) => {
      const { ctx, bbox } = plot;
      ctx.save();
      ctx.globalAlpha = 0.16;
      ctx.fillStyle = color('accent');
      for (const { from, to } of chart.areas ?? []) {
        const [top, bottom] = [plot.valToPos(to, 'y', true), plot.valToPos(from, 'y', true)];
        ctx.fillRect(bbox.left, top, bbox.width, bottom - top);
      }
      ctx.restore();
    };
  }

  function line(plot, from, to, dashed) {
    const { ctx } = plot;
    ctx.beginPath();
    ctx.setLineDash(dashed ? [6, 5] : []);
    ctx.moveTo(...from);
    ctx.lineTo(...to);
    ctx.stroke();
  }

  function over(chart) {
    return (plot) => {
      const { ctx, bbox } = plot;
      ctx.save();
      ctx.strokeStyle = ctx.fillStyle = color('soft');
      // uPlot leaves it as the axis had it.
      ctx.textAlign = 'left';
      ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
      for (const { y, label, dashed } of chart.levels ?? []) {
        const at = plot.valToPos(y, 'y', true);
        line(plot, [bbox.left, at], [bbox.left + bbox.width, at], dashed);
        ctx.fillText(label, bbox.left + 4, at - 3);
      }
      for (const { x, label } of chart.marks ?? []) {
        const at = plot.valToPos(x, 'x', true);
        line(plot, [at, bbox.top], [at, bbox.top + bbox.height], true);
        // A label at the right edge turns to the left, so that it isn't cut.
        const turned = at > bbox.left + bbox.width * 0.7;
        ctx.textAlign = turned ? 'right' : 'left';
        ctx.fillText(label, at + (turned ? -4 : 4), bbox.top + 12 * devicePixelRatio);
      }
      drawStrip(plot, chart);
      ctx.restore();
    };
  }

  function drawStrip(plot, { strip, xs }) {
    if (strip === undefined) return;
    const { ctx, bbox } = plot;
    const height = 6 * devicePixelRatio;
    for (const [at, value] of strip.values.entries()) {
      const from = plot.valToPos(xs[at], 'x', true);
      const to = at + 1 < xs.length ? plot.valToPos(xs[at + 1], 'x', true) : bbox.left + bbox.width;
      if (to < bbox.left || from > bbox.left + bbox.width) continue;
      ctx.fillStyle = color(stripColors[value]);
      ctx.fillRect(from, bbox.top + bbox.height, Math.max(1, to - from), height);
    }
  }

  function draw(chart) {
    const figure = document.getElementById(chart.id);
    const place = figure.querySelector('.plot');
    drawn.get(chart.id)?.destroy();
    const box = figure.querySelector('input[type=checkbox]');
    const log = chart.y.log === true && box?.checked !== false;
    const bands = chart.series.flatMap((one, at) =>
      one.band === true ? [{ series: [at + 1, at], fill: `${color('s0')}22` }] : [],
    );
    const plot = new uPlot(
      {
        width: Math.max(200, place.clientWidth),
        height: 260,
        padding: [null, 28, null, null],
        bands,
        scales: {
          x: { time: chart.x.kind === 'date', distr: chart.x.kind === 'percentile' ? 3 : 1 },
          y: log ? { distr: 3 } : { range: yRange(chart) },
        },
        axes: [
          xAxis(chart),
          {
            stroke: color('soft'),
            grid: { stroke: color('line'), width: 1 },
            ticks: { stroke: color('line') },
            size: 74,
            ...(log ? { splits: logSplits, filter: (_plot, splits) => splits } : {}),
            values: (_plot, splits) =>
              splits.map((split) => (split === null ? '' : shown(split, chart.y.unit))),
          },
        ],
        series: [
          { label: chart.x.label, value: (_plot, value) => xText(chart.x.kind, value) },
          ...seriesOptions(chart),
        ],
        cursor: { drag: { x: true, y: false } },
        hooks: { drawAxes: [under(chart)], draw: [over(chart)] },
      },
      // A logarithm has no place for 0, and a latency of 0 us is one below the clock's step.
      [
        chart.xs,
        ...chart.series.map(({ values }) =>
          log ? values.map((value) => (value === 0 ? 0.001 : value)) : values,
        ),
      ],
      place,
    );
    drawn.set(chart.id, plot);
  }

  const drawAll = () => {
    for (const chart of charts) if (chart.xs.length > 0) draw(chart);
  };
  const redraw = () => {
    for (const chart of charts) if (drawn.has(chart.id)) draw(chart);
  };

  /** Hides what has none of the words; a section with nothing left goes, too. */
  function filter(text) {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    const has = (element, more = '') => {
      const own = `${element.textContent} ${element.dataset.words ?? ''} ${more}`.toLowerCase();
      return words.every((word) => own.includes(word));
    };
    let left = 0;
    for (const section of document.querySelectorAll('section')) {
      const title = section.querySelector('h2').textContent;
      let here = words.length === 0 ? 1 : 0;
      for (const element of section.querySelectorAll('.find')) {
        element.hidden = !has(element, title);
        if (!element.hidden) here += 1;
      }
      for (const table of section.querySelectorAll('.table'))
        table.hidden = words.length > 0 && table.querySelector('tr.find:not([hidden])') === null;
      section.hidden = here === 0;
      left += here;
    }
    document.getElementById('nothing').hidden = left > 0;
  }

  const find = document.getElementById('find');
  const wanted = new URLSearchParams(location.hash.slice(1)).get('find');
  find.addEventListener('input', () => {
    filter(find.value);
    history.replaceState(
      null,
      '',
      find.value === '' ? location.pathname : `#find=${encodeURIComponent(find.value)}`,
    );
    redraw();
  });
  document.getElementById('theme').addEventListener('click', () => {
    const dark = root.dataset.theme
      ? root.dataset.theme === 'dark'
      : matchMedia('(prefers-color-scheme: dark)').matches;
    root.dataset.theme = dark ? 'light' : 'dark';
    redraw();
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
  for (const box of document.querySelectorAll('figure input[type=checkbox]'))
    box.addEventListener('change', () => draw(charts.find(({ id }) => id === box.closest('figure').id)));

  // Paper is white, whatever the screen was.
  let screenTheme;
  addEventListener('beforeprint', () => {
    screenTheme = root.dataset.theme;
    root.dataset.theme = 'light';
    drawAll();
  });
  addEventListener('afterprint', () => {
    if (screenTheme === undefined) delete root.dataset.theme;
    else root.dataset.theme = screenTheme;
    redraw();
  });

  let width = root.clientWidth;
  addEventListener('resize', () => {
    if (root.clientWidth === width) return;
    width = root.clientWidth;
    redraw();
  });

  drawAll();
  if (wanted !== null) {
    find.value = wanted;
    filter(wanted);
  } else if (location.hash.length > 1)
    document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
  globalThis.crowdbeatReport = { charts, drawn };
})();
