// <lx-chart kind="bar|stack|line|whisker" unit="GBP|count|share" label="…">: draws the table in its
// <details>, so a picture never says anything else than the table. ECharts is fetched only when a
// chart comes near the screen.

const ECHARTS = document.querySelector("script[data-echarts]").dataset.echarts;
const INK = ["--ink", "--ink-2", "--edge", "--edge-strong", "--surface", "--baseline"];
let library;

function loadLibrary() {
  library ??= import(ECHARTS);
  return library;
}

function readTable(table) {
  const heads = [...table.tHead.rows[0].cells].slice(1);
  const rows = [...table.tBodies[0].rows];
  return {
    names: rows.map((row) => row.cells[0].textContent.trim()),
    tones: rows.map((row) => row.dataset.tone),
    series: heads
      .map((head, column) => ({
        name: head.textContent.trim(),
        tone: head.dataset.tone,
        cells: rows.map((row) => readCell(row.cells[column + 1])),
      }))
      .filter((each) => each.tone), // a column without a tone stands in the table only
  };
}

function readCell(cell) {
  const number = (text) => (text === undefined ? null : Number(text));
  return {
    text: cell.textContent.trim(),
    value: number(cell.dataset.value),
    low: number(cell.dataset.low),
    high: number(cell.dataset.high),
  };
}

function readColours(element) {
  const style = getComputedStyle(element);
  const colours = Object.fromEntries(INK.map((name) => [name, style.getPropertyValue(name).trim()]));
  for (const tone of ["1", "2", "3", "4", "5", "6", "other"]) {
    colours[tone] = style.getPropertyValue(`--series-${tone}`).trim();
  }
  colours.baseline = colours["--baseline"];
  return colours;
}

// As many decimals as tell the ticks of an axis apart that ends near the largest value.
function makeTickWriter(unit, language, largest) {
  const needed = largest > 0 ? Math.ceil(1 - Math.log10(largest / 2)) : 0;
  if (unit === "share") {
    const decimals = Math.min(Math.max(needed - 2, 0), 6);
    const format = new Intl.NumberFormat(language, {
      style: "percent",
      maximumFractionDigits: decimals,
    });
    return (value) => format.format(value);
  }
  const money = /^[A-Z]{3}$/.test(unit)
    ? { style: "currency", currency: unit, currencyDisplay: "narrowSymbol" }
    : {};
  const format = new Intl.NumberFormat(language, {
    ...money,
    notation: "compact",
    maximumFractionDigits: Math.min(Math.max(needed, 1), 6),
    minimumFractionDigits: 0,
  });
  return (value) => format.format(value);
}

class Chart extends HTMLElement {
  #plot;
  #drawn;
  #stop = new AbortController();

  connectedCallback() {
    const table = this.querySelector("details table");
    this.#plot = this.querySelector(".plot");
    if (!table || !this.#plot || !table.tBodies[0]?.rows.length) return;
    this.#addExports();
    this.#watchNear(() => this.#draw(readTable(table)));
  }

  disconnectedCallback() {
    this.#stop.abort();
    this.#drawn?.dispose();
  }

  #watchNear(act) {
    const near = new IntersectionObserver(
      (entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        near.disconnect();
        act();
      },
      { rootMargin: "200px" },
    );
    near.observe(this.#plot);
    this.#stop.signal.addEventListener("abort", () => near.disconnect());
  }

  async #draw(data) {
    const echarts = await loadLibrary();
    if (!this.isConnected) return;
    this.#drawn = echarts.init(this.#plot, null, { renderer: "canvas" });
    const paint = () => this.#drawn.setOption(this.#describe(data), { notMerge: true });
    paint();
    const signal = this.#stop.signal;
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint, { signal });
    const sizes = new ResizeObserver(() => {
      this.#drawn.resize();
      paint();
    });
    sizes.observe(this.#plot);
    signal.addEventListener("abort", () => sizes.disconnect());
    this.dataset.drawn = "";
  }

  #describe(data) {
    const colours = readColours(this);
    const kind = this.getAttribute("kind");
    const tops = data.series.flatMap((series) => series.cells.map((c) => c.high ?? c.value ?? 0));
    const largest = Math.max(0, ...tops);
    const tick = makeTickWriter(this.getAttribute("unit"), document.documentElement.lang, largest);
    const text = { color: colours["--ink-2"], fontFamily: getComputedStyle(this).fontFamily };
    const labelled = kind === "stack" || kind === "line";
    const category = {
      type: "category",
      data: data.names,
      boundaryGap: kind === "bar" || kind === "whisker",
      axisLine: { lineStyle: { color: colours["--edge-strong"] } },
      axisTick: { show: false },
      axisLabel: { ...text, hideOverlap: true, alignMinLabel: labelled ? "left" : null },
    };
    if (kind === "whisker") {
      const width = (this.#plot.clientWidth - 64) / Math.max(data.names.length, 1);
      Object.assign(category.axisLabel, { interval: 0, hideOverlap: false, overflow: "break", width });
    }
    const room = labelled ? Math.max(108, Math.min(130, this.#plot.clientWidth * 0.26)) : 12;
    return {
      animation: !matchMedia("(prefers-reduced-motion: reduce)").matches,
      animationDuration: 120,
      textStyle: text,
      grid: { left: 8, right: room, top: 16, bottom: 8, containLabel: true },
      tooltip: this.#describeTooltip(data, colours),
      xAxis: category,
      yAxis: {
        type: "value",
        splitNumber: 4,
        axisLabel: { ...text, formatter: tick },
        splitLine: { lineStyle: { color: colours["--edge"] } },
      },
      series: this.#describeSeries(data, colours, kind),
    };
  }

  // The tooltip is drawn on the canvas: its HTML form needs inline styles, which our policy forbids.
  #describeTooltip(data, colours) {
    return {
      trigger: "axis",
      renderMode: "richText",
      confine: true,
      backgroundColor: colours["--surface"],
      borderColor: colours["--edge-strong"],
      textStyle: { color: colours["--ink"], fontSize: 12 },
      axisPointer: { type: "line", lineStyle: { color: colours["--edge-strong"] } },
      formatter: (points) => {
        const index = points[0].dataIndex;
        const lines = data.series.map((series) => `${series.name}  ${series.cells[index].text}`);
        return [data.names[index], ...lines].join("\n");
      },
    };
  }

  #describeSeries(data, colours, kind) {
    const plain = data.series.map((series) => {
      const colour = colours[series.tone] ?? colours["1"];
      const isBaseline = series.tone === "baseline";
      return {
        name: series.name,
        type: kind === "bar" || kind === "whisker" ? "bar" : "line",
        stack: kind === "stack" ? "all" : undefined,
        data: series.cells.map((cell, at) => {
          const own = colours[data.tones[at]];
          return own ? { value: cell.value, itemStyle: { color: own } } : cell.value;
        }),
        color: colour,
        barMaxWidth: 28,
        symbol: "none",
        lineStyle: { width: kind === "stack" ? 0.5 : 2, type: isBaseline ? "dashed" : "solid" },
        areaStyle: kind === "stack" ? { color: colour, opacity: 0.85 } : undefined,
        emphasis: { disabled: true },
      };
    });
    if (kind === "stack") return [...plain, ...labelBands(data, colours)];
    return [...plain, ...drawIntervals(data, colours)];
  }

  #addExports() {
    const row = document.createElement("p");
    row.className = "export note";
    for (const form of ["png", "svg"]) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "plain";
      button.textContent = this.dataset[form];
      button.addEventListener("click", () => this.#save(form));
      row.append(button);
    }
    this.querySelector("details").append(row);
  }

  async #save(form) {
    const echarts = await loadLibrary();
    const table = this.querySelector("details table");
    const { clientWidth: width, clientHeight: height } = this.#plot;
    let file;
    if (form === "png") {
      const surface = readColours(this)["--surface"];
      const canvas = this.#drawn.getRenderedCanvas({ pixelRatio: 2, backgroundColor: surface });
      file = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
    } else {
      const still = echarts.init(null, null, { renderer: "svg", ssr: true, width, height });
      still.setOption({ ...this.#describe(readTable(table)), animation: false });
      file = new Blob([still.renderToSVGString()], { type: "image/svg+xml" });
      still.dispose();
    }
    const link = document.createElement("a");
    link.href = URL.createObjectURL(file);
    link.download = `${this.getAttribute("label")}.${form}`;
    link.click();
    URL.revokeObjectURL(link.href);
  }
}

// A whisker over each value that has an interval; for charts of one series, or of lines.
function drawIntervals(data, colours) {
  const bounded = data.series.filter((series) => series.cells.some((cell) => cell.low !== null));
  return bounded.map((series) => ({
    type: "custom",
    silent: true,
    z: 5,
    tooltip: { show: false },
    encode: { x: 0, y: [1, 2] },
    data: series.cells.map((cell, at) => [at, cell.low, cell.high]),
    renderItem: (_, api) => {
      if (Number.isNaN(api.value(1))) return null;
      const [x, low] = api.coord([api.value(0), api.value(1)]);
      const [, high] = api.coord([api.value(0), api.value(2)]);
      const style = { stroke: colours["--ink"], lineWidth: 1.5, fill: "none" };
      const line = (x1, y1, x2, y2) => ({ type: "line", shape: { x1, y1, x2, y2 }, style });
      const ends = [line(x - 5, low, x + 5, low), line(x - 5, high, x + 5, high)];
      return { type: "group", children: [line(x, low, x, high), ...ends] };
    },
  }));
}

// Names beside the right end of each band instead of a legend, pushed apart where bands are thin.
function labelBands(data, colours) {
  const last = data.names.length - 1;
  let below = 0;
  return data.series.map((series) => {
    const value = series.cells[last]?.value ?? 0;
    const middle = below + value / 2;
    below += value;
    return {
      type: "line",
      data: [[last, middle]],
      symbol: "circle",
      symbolSize: 0.1,
      showSymbol: true,
      showAllSymbol: true,
      silent: true,
      tooltip: { show: false },
      labelLayout: { moveOverlap: "shiftY" },
      label: {
        show: true,
        position: "right",
        formatter: series.name,
        color: colours["--ink"],
        fontSize: 12,
        distance: 8,
      },
      color: colours[series.tone] ?? colours["1"],
    };
  });
}

customElements.define("lx-chart", Chart);
