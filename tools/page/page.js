'use strict';
(() => {
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const colour = (i) => css('--c' + i % 8);
  // Lighter where the hues come again.
  const shade = (i) => colour(i) + ['', 'a0', '60'][Math.floor(i / 8) % 3];
  const bytes = (v) => v < 1024 ? v + ' B' : v < 1048576 ? +(v / 1024).toPrecision(4) + ' KiB' :
    v < 1073741824 ? +(v / 1048576).toPrecision(4) + ' MiB' : +(v / 1073741824).toPrecision(4) + ' GiB';
  const time = (v) => v === 0 ? '0' : v < 1 ? +(v * 1000).toPrecision(4) + ' ns' : v < 1000 ? +v.toPrecision(4) + ' µs' : +(v / 1000).toPrecision(4) + ' ms';
  const show = (v, unit) => unit === 'bytes' ? bytes(v) : unit === 'us' ? time(v) : String(+(+v).toPrecision(5));
  const charts = [];

  // Sizes have a tick at powers of two; other values that are few, one each; logarithmic times at 1, 2 and 5 of a decade.
  function ticks(axis, unit, log, values) {
    if (log && unit === 'bytes') {
      const from = Math.ceil(Math.log2(axis.min) - 1e-9), to = Math.floor(Math.log2(axis.max) + 1e-9), step = to - from > 8 ? 2 : 1;
      axis.ticks = [];
      for (let e = from; e <= to; e += step) axis.ticks.push({value: 2 ** e});
    } else if (values.length <= 12) {
      axis.ticks = values.map((value) => ({value}));
    } else if (log) {
      axis.ticks = axis.ticks.filter((t) => [1, 2, 5].includes(+(t.value / 10 ** Math.floor(Math.log10(t.value) + 1e-9)).toFixed(6)));
    }
  }
  const extent = (values) => values.reduce(([low, high], v) => [Math.min(low, v), Math.max(high, v)], [Infinity, -Infinity]);
  // Of a logarithmic axis the ends are 1, 2 or 5 of a decade; values that lie close together need no logarithm.
  const below = (v) => { const d = 10 ** Math.floor(Math.log10(v)); return [5, 2, 1].map((f) => f * d).find((t) => t <= v * 1.0001); };
  const above = (v) => { const d = 10 ** Math.floor(Math.log10(v)); return [1, 2, 5, 10].map((f) => f * d).find((t) => t >= v * 0.9999); };
  function axis(title, unit, log, values, names) {
    const [low, high] = extent(values);
    let bounds = {}, isLog = log;
    if (unit === 'us') {
      isLog = log && high > 2 * low;
      bounds = isLog ? {min: below(low), max: above(high)} : {grace: '10%'};
    } else if (values.length > 1) {
      bounds = {min: low, max: high};
    }
    return {
      type: isLog ? 'logarithmic' : 'linear', ...bounds, title: {display: true, text: title, color: css('--soft')}, grid: {color: css('--line')},
      afterBuildTicks: (a) => (isLog || unit !== 'us') && ticks(a, unit, isLog, unit === 'us' ? Array(13) : values),
      ticks: {color: css('--soft'), callback: (v) => names ? names[v] : show(v, unit)},
    };
  }
  function draw(host, config, label) {
    const plot = document.createElement('div');
    plot.className = 'plot';
    plot.style.height = '100%';
    const canvas = document.createElement('canvas');
    if (label !== undefined) {
      canvas.setAttribute('role', 'img');
      canvas.setAttribute('aria-label', label);
    }
    plot.append(canvas);
    host.append(plot);
    config.options = Object.assign({animation: false, responsive: true, maintainAspectRatio: false}, config.options);
    config.options.plugins = Object.assign({legend: {labels: {color: css('--ink'), boxWidth: 12}}}, config.options.plugins);
    const chart = new Chart(canvas, config);
    charts.push(chart);
    return plot;
  }
  function lines(host, d, name) {
    const label = (c) => `${c.dataset.label}: ${d.xNames ? d.xNames[c.parsed.x] : show(c.parsed.x, d.xUnit)}, ${show(c.parsed.y, d.yUnit)}`;
    const values = [...new Set(d.series.flatMap((s) => s.points.map((p) => p[0])))].sort((a, b) => a - b);
    return draw(host, {
      type: d.scatter ? 'scatter' : 'line',
      data: {datasets: d.series.map((s, i) => ({
        label: s.name, data: s.points.map(([x, y]) => ({x, y})), borderColor: shade(s.colour ?? i), backgroundColor: shade(s.colour ?? i),
        borderWidth: 1.5, pointRadius: s.bare ? 0 : s.points.length > 200 ? 1.5 : 3, showLine: !s.loose && !d.xNames, tension: 0, clip: 8,
      }))},
      options: {parsing: false, interaction: {mode: 'nearest', intersect: false}, plugins: {tooltip: {callbacks: {label}}},
        scales: {x: axis(d.x, d.xUnit, d.xLog, values, d.xNames), y: axis(d.y, d.yUnit, d.yLog, d.series.flatMap((s) => s.points.map((p) => p[1])))}},
    }, name);
  }
  function stack(host, d) {
    const label = (c) => `${c.dataset.label}: ${time(c.raw)}`;
    // Where there is little room a label has a line for each of its parts.
    const onPaper = matchMedia('print').matches;
    const labels = host.clientWidth < 600 && !onPaper ? d.labels.map((l) => l.split(', ')) : d.labels;
    // A sheet of paper has room for the longest chart, if its bars lie close together.
    const rows = onPaper ? 0.9 * labels.length : labels.reduce((sum, l) => sum + (Array.isArray(l) ? 1 + l.length : 2), 0);
    host.style.height = Math.max(12, 4 + rows) + 'rem';
    draw(host, {
      type: 'bar',
      data: {labels, datasets: d.parts.map((p) => ({label: p.name, data: p.values, backgroundColor: shade(p.colour)}))},
      options: {indexAxis: 'y', plugins: {tooltip: {callbacks: {label}}},
        scales: {x: {stacked: true, grid: {color: css('--line')}, ticks: {color: css('--soft'), callback: (v) => time(v)}},
          y: {stacked: true, grid: {display: false}, ticks: {color: css('--ink'), autoSkip: false, font: {size: onPaper ? 10 : 12}}}}},
    });
  }
  function choice(controls, name, options, selected) {
    const label = document.createElement('label');
    const select = document.createElement('select');
    label.append(name + ' ', select);
    options.forEach((text, i) => select.append(new Option(text, i, i === selected, i === selected)));
    controls.append(label);
    return select;
  }
  // Points with the chosen values; where others differ, the best of them.
  function explorer(host, d) {
    host.className += ' free';
    const controls = document.createElement('div');
    controls.className = 'controls';
    const heat = document.createElement('div');
    heat.className = 'scroll';
    const first = document.createElement('div'), second = document.createElement('div');
    first.className = second.className = 'plot';
    host.append(controls, first, heat, second);
    const many = d.parameters.map((p, i) => i).filter((i) => d.values[i].length > 1);
    const names = many.map((i) => d.parameters[i]);
    const say = (text) => Object.assign(document.createElement('p'), {textContent: text});
    if (many.length === 0 || !d.points.some(([, metrics]) => metrics.some((v) => v >= 0))) {
      const one = many.length === 0 ? 'Nothing varies: the one point is in the table.' : 'No point ran to its end: the table says why.';
      host.replaceChildren(say(one));
      return;
    }
    const isNumber = (i) => d.values[i].every((v) => v !== '' && isFinite(v));
    const x0 = Math.max(0, many.findIndex(isNumber)), y0 = many.findIndex((p, i) => i !== x0 && isNumber(p));
    const metric = choice(controls, 'Time', d.metrics, 0);
    const along = choice(controls, 'along', names, x0);
    const by = choice(controls, 'by', ['nothing else', ...names], many.length < 2 ? 0 : 1 + (y0 >= 0 ? y0 : x0 === 0 ? 1 : 0));
    function update() {
      for (const old of [first, heat, second]) {
        for (const canvas of old.querySelectorAll('canvas')) {
          const chart = Chart.getChart(canvas);
          charts.splice(charts.indexOf(chart), 1);
          chart.destroy();
        }
        old.replaceChildren();
      }
      const x = many[along.value], y = +by.value === 0 || many[by.value - 1] === x ? -1 : many[by.value - 1], m = +metric.value;
      const best = new Map();
      for (const [at, metrics] of d.points) {
        if (!(metrics[m] >= 0)) continue;
        const key = at[x] + (y < 0 ? 0 : at[y]) * 1e6;
        if (!best.has(key) || best.get(key) > metrics[m]) best.set(key, metrics[m]);
      }
      const rows = y < 0 ? [0] : d.values[y].map((v, i) => i);
      const place = (i) => isNumber(x) ? +d.values[x][i] : i;
      const get = (i, j) => best.get(i + j * 1e6);
      const drawn = rows.slice(0, 24);  // as many as there are colours
      const series = drawn.map((j) => ({name: y < 0 ? d.metrics[m] : d.parameters[y] + ' ' + d.values[y][j],
        points: d.values[x].map((v, i) => [place(i), get(i, j)]).filter((p) => p[1] !== undefined)}));
      const all = series.flatMap((s) => s.points);
      const xLog = isNumber(x) && all.every((p) => p[0] > 0) && new Set(all.map((p) => p[0])).size > 2;
      if (all.length > 0) lines(first, {x: d.parameters[x], y: d.metrics[m], xUnit: '', yUnit: 'us', xLog, xNames: isNumber(x) ? undefined : d.values[x], yLog: all.every((p) => p[1] > 0), series},
        `${d.metrics[m]} over ${d.parameters[x]}; the numbers are in the table of every point`);
      if (drawn.length < rows.length) {
        heat.append(say(`Curves of the first ${drawn.length} of ${rows.length} values of ${d.parameters[y]}; the table has all.`));
      }
      if (all.length === 0) {
        first.replaceChildren(say(`No point has ${d.metrics[m]}.`));
        first.style.height = second.style.height = 'auto';
        return;
      }
      // The legend's lines are not to be the curves' loss.
      first.style.height = drawn.length > 8 ? 18 + 1.4 * Math.ceil(drawn.length / 4) + 'rem' : '';
      second.style.height = '';
      if (y >= 0) {
        const [low, high] = extent([...best.values()]).map((v) => Math.log(v + 1e-9));
        const table = document.createElement('table');
        table.className = 'heat';
        const caption = table.createCaption();
        caption.textContent = `${d.metrics[m]}: ${d.parameters[y]} down, ${d.parameters[x]} across`;
        const head = table.createTHead().insertRow();
        head.append(document.createElement('th'), ...d.values[x].map((v) => Object.assign(document.createElement('th'), {scope: 'col', textContent: v})));
        const body = table.createTBody();
        for (const j of rows) {
          const row = body.insertRow();
          row.append(Object.assign(document.createElement('th'), {scope: 'row', textContent: d.values[y][j]}));
          d.values[x].forEach((v, i) => {
            const cell = row.insertCell(), value = get(i, j);
            if (value === undefined) { cell.textContent = '-'; return; }
            const share = high > low ? (Math.log(value + 1e-9) - low) / (high - low) : 0;
            cell.textContent = time(value);
            cell.style.background = `hsl(${140 - 140 * share} 60% 80%)`;
            cell.style.color = '#000';
          });
        }
        heat.append(table);
      }
      if (isNumber(x)) {
        // Less of the parameter and less time: points that no other point beats in both.
        const points = d.points.filter((p) => p[1][m] >= 0).map(([at, metrics]) => [+d.values[x][at[x]], metrics[m]]);
        points.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
        const front = [];
        for (const p of points) if (front.length === 0 || p[1] < front[front.length - 1][1]) front.push(p);
        lines(second, {x: d.parameters[x], y: d.metrics[m] + ', Pareto front', xUnit: '', yUnit: 'us', xLog, scatter: true, yLog: points.every((p) => p[1] > 0),
          series: [{name: 'no point has less of both', points: front}, {name: 'all points', points, loose: true}]},
          `${d.metrics[m]} and ${d.parameters[x]} of every point, and those that no other point beats in both`);
      } else {
        second.style.height = '0';
      }
    }
    for (const select of [metric, along, by]) select.addEventListener('change', update);
    update();
  }
  function all() {
    for (const chart of charts.splice(0)) chart.destroy();
    for (const script of document.querySelectorAll('script[data-chart]')) {
      const host = document.getElementById(script.dataset.chart), d = JSON.parse(script.textContent);
      host.replaceChildren();
      ({lines, stack, explorer})[d.kind](host, d);
    }
  }
  let isDrawn = false;
  const drawOnce = () => {
    if (isDrawn) return;
    isDrawn = true;
    if (self.Chart) all();
    performance.mark('charts');
  };
  // On paper what is folded is open.
  let opened = [];
  addEventListener('beforeprint', () => {
    drawOnce();
    opened = [...document.querySelectorAll('details:not([open]):not(.long)')];
    for (const details of opened) details.open = true;
  });
  addEventListener('afterprint', () => {
    for (const details of opened) details.open = false;
  });
  if (!self.Chart) return;
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', all);
  matchMedia('print').addEventListener('change', all);
  // Headings and text are seen before the charts are drawn. A page in the background is not painted, and drawn at once; one that is
  // printed or photographed by a program may never ask for a frame.
  if (document.hidden) drawOnce();
  else requestAnimationFrame(() => setTimeout(drawOnce));
  setTimeout(drawOnce, 300);
})();
