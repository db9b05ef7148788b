/**
 * One small chart by dygraphs, which is loaded when the first chart is drawn and not before: the
 * page's first paint does without it.
 */
import { apiUrl } from './api.js';
import { el, setText } from './dom.js';
import { getPref } from './prefs.js';
import { formatTime } from './time.js';

let loading = null;

const vendorUrl = (name) => new URL(`../../vendor/${name}`, apiUrl('')).href;

function loadScript(url) {
  return new Promise((resolve, reject) => {
    const script = el('script', { src: url });
    script.addEventListener('load', resolve);
    script.addEventListener('error', () => reject(new Error(`${url} could not be loaded`)));
    document.head.append(script);
  });
}

async function loadDygraphs() {
  document.head.append(el('link', { rel: 'stylesheet', href: vendorUrl('dygraph.min.css') }));
  await loadScript(vendorUrl('dygraph.min.js'));
  const { Dygraph } = window;
  // Its legend writes style attributes, which our Content-Security-Policy forbids; the charts have
  // a readout of their own instead. The rest sets styles by the CSSOM.
  Dygraph.PLUGINS = Dygraph.PLUGINS.filter((plugin) => plugin !== Dygraph.Plugins.Legend);
  return Dygraph;
}

const cssColor = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Bars instead of a line; as wide as the smallest step between two points allows. */
function plotBars(e) {
  const context = e.drawingContext;
  const base = e.dygraph.toDomYCoord(0);
  let step = e.plotArea.w / 12;
  for (let i = 1; i < e.points.length; i += 1) {
    step = Math.min(step, e.points[i].canvasx - e.points[i - 1].canvasx);
  }
  const width = Math.max(2, step * 0.8);
  context.fillStyle = e.color;
  for (const { canvasx, canvasy } of e.points) {
    context.fillRect(canvasx - width / 2, canvasy, width, base - canvasy);
  }
}

/** Dots, each in its own colour. */
function plotDots(colorOf) {
  return (e) => {
    const context = e.drawingContext;
    for (const { canvasx, canvasy, yval } of e.points) {
      context.fillStyle = cssColor(colorOf(yval));
      context.beginPath();
      context.arc(canvasx, canvasy, 2.5, 0, 2 * Math.PI);
      context.fill();
    }
  };
}

export class Chart {
  /**
   * @param {object} spec
   * @param {string} spec.title
   * @param {'area' | 'bars' | 'dots'} spec.shape
   * @param {(y: number) => string} [spec.colorOf] for dots: a CSS variable's name
   * @param {number} [spec.roll] each point is the mean of so many
   * @param {boolean} [spec.counts] y is a whole number of things
   * @param {boolean} spec.timed whether x is a time (ms) or a number
   * @param {(x: number, y: number) => string} spec.readout for the point under the pointer
   */
  constructor(spec) {
    this.spec = spec;
    this.value = el('span', { class: 'chart-value' });
    this.plot = el('div', { class: 'plot', role: 'img', 'aria-label': spec.title });
    this.empty = el('p', { class: 'chart-empty' }, 'Nothing to draw yet');
    this.node = el('section', { class: 'chart' },
      el('h3', {}, spec.title, this.value), this.plot, this.empty);
    this.graph = null;
    this.summary = '';
    this.pointed = false;
    this.observer = new ResizeObserver(() => this.graph?.resize());
    this.observer.observe(this.plot);
  }

  /**
   * @param {[number, number][]} points by x
   * @param {string} summary beside the title, and for those who do not see the drawing
   */
  async draw(points, summary) {
    this.points = points;
    this.summary = summary;
    if (!this.pointed) setText(this.value, summary);
    this.plot.setAttribute('aria-label', `${this.spec.title}: ${summary}`);
    this.plot.hidden = points.length === 0;
    this.empty.hidden = points.length > 0;
    if (points.length === 0) return;
    loading ??= loadDygraphs();
    const Dygraph = await loading;
    // While it was loading, the view may have gone or newer points may have come.
    if (points !== this.points || !this.plot.isConnected) return;
    const rows = this.spec.timed ? points.map(([x, y]) => [new Date(x), y]) : points;
    if (this.graph) this.graph.updateOptions({ file: rows });
    else this.graph = new Dygraph(this.plot, rows, this.#options());
  }

  /** After a change of the theme or of the time's zone. */
  restyle() {
    this.graph?.updateOptions(this.#options());
  }

  /** Takes the chart off the page for good. */
  free() {
    this.observer.disconnect();
    this.graph?.destroy();
    this.graph = null;
    this.node.remove();
  }

  #options() {
    const { spec } = this;
    const plotters = { bars: plotBars, dots: spec.colorOf && plotDots(spec.colorOf) };
    return {
      labels: ['x', 'y'],
      colors: [cssColor('--chart')],
      plotter: plotters[spec.shape] ?? null,
      fillGraph: spec.shape === 'area',
      fillAlpha: 0.18,
      strokeWidth: 1.5,
      rollPeriod: spec.roll ?? 1,
      includeZero: true,
      labelsUTC: getPref('time') === 'utc',
      axisLineColor: cssColor('--line'),
      gridLineColor: cssColor('--line'),
      gridLineWidth: 1,
      axisLabelFontSize: 11,
      highlightCircleSize: 3,
      // Half a dot or bar must not fall off the edge.
      xRangePad: spec.shape === 'area' ? 0 : 6,
      // dygraphs' own tenth above an area, which it does not fill where it touches the edge.
      yRangePad: spec.shape === 'area' ? null : 6,
      axes: {
        // dygraphs moves a label off its tick when its width would reach over the edge.
        x: spec.timed ? { drawGrid: false, pixelsPerLabel: 70 }
          : { drawGrid: false, pixelsPerLabel: 40, axisLabelWidth: 30 },
        y: {
          axisLabelWidth: 34,
          pixelsPerLabel: 28,
          ...(spec.counts && { axisLabelFormatter: (y) => (Number.isInteger(y) ? `${y}` : '') }),
        },
      },
      // Neither zoom nor pan: on a phone a finger on a chart means to scroll.
      interactionModel: {},
      highlightCallback: (event, x, points) => this.#point(spec.readout(x, points[0].yval)),
      unhighlightCallback: () => this.#point(null),
    };
  }

  #point(text) {
    this.pointed = text !== null;
    setText(this.value, text ?? this.summary);
  }
}

/** @param {number} ms since 1970, as text in the zone that the user chose */
export function clockOf(ms) {
  const mode = getPref('time') === 'utc' ? 'utc' : 'local';
  return formatTime(new Date(ms).toISOString(), mode).replace(/\.\d+$/, '');
}
