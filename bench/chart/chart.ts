import { scaleLinear, scaleLog } from 'd3-scale';
import { curveLinear, curveStepAfter, line } from 'd3-shape';
import { type Html, html } from '../../dev/pages/html.js';

export type Point = readonly [x: number, y: number];

export interface Axis {
  /** with its unit */
  readonly label: string;
  readonly min: number;
  readonly max: number;
  readonly isLogarithmic?: boolean;
  /** by default chosen by the scale */
  readonly ticks?: readonly number[];
  readonly format?: (value: number) => string;
}

export interface Line {
  readonly name: string;
  readonly color: string;
  readonly points: readonly Point[];
  /** whether a value lasts until the next one */
  readonly isStepped?: boolean;
  readonly isDashed?: boolean;
}

export interface Panel {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly lines: readonly Line[];
  /** what is below y = 0, which is shaded under a line that cannot be missed */
  readonly belowZero?: string;
}

export interface Chart {
  readonly title: string;
  readonly subtitle: string;
  /** side by side */
  readonly panels: readonly Panel[];
}

const width = 960;
const height = 440;
const top = 96;
const bottom = 60;
const left = 64;
const between = 40;
const right = 24;
// The average width of a character, as SVG cannot measure text.
const legendCharacter = 6.9;
const legendGap = 50;
const ink = '#1f2933';
const faint = '#52606d';
const grid = '#e4e7eb';
const danger = '#c81e1e';
const tickCount = 6;

/** A chart as SVG, on a white background. */
export function chartSvg({ title, subtitle, panels }: Chart): string {
  const panelWidth =
    (width - right - left * panels.length - between * (panels.length - 1)) / panels.length;
  const drawn = panels.map((panel, n) => {
    const x = left + n * (panelWidth + left + between);
    return drawPanel(panel, { x, width: panelWidth });
  });
  return html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, 'Helvetica Neue', Arial, sans-serif" role="img">
<title>${title}</title>
<rect width="${width}" height="${height}" fill="#ffffff"/>
<text x="${left}" y="32" font-size="18" font-weight="600" fill="${ink}">${title}</text>
<text x="${left}" y="54" font-size="12.5" fill="${faint}">${subtitle}</text>
${drawn}</svg>
`.text;
}

const scaleOf = ({ min, max, isLogarithmic }: Axis, from: number, to: number) =>
  (isLogarithmic ? scaleLog() : scaleLinear()).domain([min, max]).range([from, to]).clamp(true);
type Scale = ReturnType<typeof scaleOf>;

const ticksOf = ({ ticks }: Axis, scale: Scale) => [...(ticks ?? scale.ticks(tickCount))];
const shown = (axis: Axis, value: number) =>
  axis.format?.(value) ?? value.toLocaleString('en-US', { maximumFractionDigits: 1 });
const at = (value: number) => Number(value.toFixed(1));

interface Place {
  readonly x: number;
  readonly width: number;
}

function drawPanel(panel: Panel, place: Place): Html {
  const end = height - bottom;
  const x = scaleOf(panel.x, place.x, place.x + place.width);
  const y = scaleOf(panel.y, end, top);
  return html`<g>
<text x="${at(place.x)}" y="${top - 14}" font-size="13" font-weight="600" fill="${ink}">${panel.title}</text>
${panel.belowZero ? shadeBelowZero(panel.belowZero, y, place) : ''}
${ticksOf(panel.y, y).map(
  (
    tick,
  ) => html`<line x1="${at(place.x)}" x2="${at(place.x + place.width)}" y1="${at(y(tick))}" y2="${at(y(tick))}" stroke="${grid}"/>
<text x="${at(place.x - 8)}" y="${at(y(tick) + 4)}" font-size="11" text-anchor="end" fill="${faint}">${shown(panel.y, tick)}</text>
`,
)}
${ticksOf(panel.x, x).map(
  (
    tick,
  ) => html`<line x1="${at(x(tick))}" x2="${at(x(tick))}" y1="${end}" y2="${end + 5}" stroke="${faint}"/>
<text x="${at(x(tick))}" y="${end + 19}" font-size="11" text-anchor="middle" fill="${faint}">${shown(panel.x, tick)}</text>
`,
)}
<line x1="${at(place.x)}" x2="${at(place.x + place.width)}" y1="${end}" y2="${end}" stroke="${faint}"/>
<text x="${at(place.x + place.width / 2)}" y="${end + 42}" font-size="12" text-anchor="middle" fill="${ink}">${panel.x.label}</text>
<text transform="translate(${at(place.x - 48)} ${(top + end) / 2}) rotate(-90)" font-size="12" text-anchor="middle" fill="${ink}">${panel.y.label}</text>
${panel.belowZero ? drawZero(y, place) : ''}
${panel.lines.map((each) => drawLine(each, x, y))}
${drawLegend(panel.lines, place)}
</g>
`;
}

function drawLine({ points, color, isStepped, isDashed }: Line, x: Scale, y: Scale): Html {
  const path = line<Point>(
    ([px]) => at(x(px)),
    ([, py]) => at(y(py)),
  ).curve(isStepped ? curveStepAfter : curveLinear)(thinned(points));
  const dashes = isDashed ? html` stroke-dasharray="6 4"` : '';
  return html`<path d="${path ?? ''}" fill="none" stroke="${color}" stroke-width="2" stroke-linejoin="round"${dashes}/>
`;
}

/** Without points whose value is that of both neighbours. */
const thinned = (points: readonly Point[]) =>
  points.filter(([, y], n) => points[n - 1]?.[1] !== y || points[n + 1]?.[1] !== y);

/** In one row above the panel, from the right. */
function drawLegend(lines: readonly Line[], { x, width: panelWidth }: Place): Html[] {
  let end = x + panelWidth;
  return lines.toReversed().map(({ name, color, isDashed }) => {
    const start = end - name.length * legendCharacter;
    const dashes = isDashed ? html` stroke-dasharray="6 4"` : '';
    end = start - legendGap;
    return html`<line x1="${at(start - 30)}" x2="${at(start - 8)}" y1="${top - 18}" y2="${top - 18}" stroke="${color}" stroke-width="2.5"${dashes}/>
<text x="${at(start)}" y="${top - 14}" font-size="12" fill="${ink}">${name}</text>
`;
  });
}

const shadeBelowZero = (name: string, y: Scale, place: Place): Html =>
  html`<rect x="${at(place.x)}" y="${at(y(0))}" width="${at(place.width)}" height="${at(height - bottom - y(0))}" fill="${danger}" fill-opacity="0.07"/>
<text x="${at(place.x + 8)}" y="${height - bottom - 8}" font-size="11" fill="${danger}">${name}</text>
`;

const drawZero = (y: Scale, place: Place): Html =>
  html`<line x1="${at(place.x)}" x2="${at(place.x + place.width)}" y1="${at(y(0))}" y2="${at(y(0))}" stroke="${danger}" stroke-width="1.5"/>
`;
