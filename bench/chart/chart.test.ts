import { chartSvg, type Panel } from './chart.js';

const panel: Panel = {
  title: 'a store',
  x: { label: 'time (s)', min: 0, max: 10 },
  y: { label: 'units', min: -50, max: 50 },
  lines: [{ name: 'stock', color: '#000000', points: [] }],
};
const svgOf = (...panels: Panel[]) => chartSvg({ title: 'Stock', subtitle: 'a sale', panels });

/** The points of the paths of a chart, in pixels. */
function pathsIn(svg: string): number[][][] {
  return [...svg.matchAll(/<path d="M([^"]*)"/g)].map(([, points = '']) =>
    points.split('L').map((point) => point.split(',').map(Number)),
  );
}

const textsIn = (svg: string) => [...svg.matchAll(/>([^<>]+)<\/text>/g)].map(([, text]) => text);

describe('a chart', () => {
  it('has a title, a subtitle, a legend, and axes with their units', () => {
    const texts = textsIn(svgOf(panel));
    expect(texts).toEqual(
      expect.arrayContaining([
        'Stock',
        'a sale',
        'a store',
        'stock',
        'time (s)',
        'units',
        '0',
        '40',
      ]),
    );
  });

  it('places points between the ends of its axes', () => {
    const points = [
      [0, -50],
      [5, 0],
      [10, 50],
    ] as const;
    const [[first, middle, last] = []] = pathsIn(
      svgOf({ ...panel, lines: [{ name: 'stock', color: '#000000', points }] }),
    );
    const [x0 = 0, y0 = 0] = first ?? [];
    const [x1 = 0, y1 = 0] = last ?? [];
    expect(middle).toEqual([(x0 + x1) / 2, (y0 + y1) / 2]);
    expect(x1).toBeGreaterThan(x0);
    // Up on the screen is less.
    expect(y1).toBeLessThan(y0);
  });

  it('places powers of ten at equal distances on a logarithmic axis', () => {
    const y = { label: 'ms', min: 1, max: 100, isLogarithmic: true };
    const points = [
      [0, 1],
      [5, 10],
      [10, 100],
    ] as const;
    const [[first, middle, last] = []] = pathsIn(
      svgOf({ ...panel, y, lines: [{ name: 'p99', color: '#000000', points }] }),
    );
    expect(middle?.[1]).toBeCloseTo(((first?.[1] ?? 0) + (last?.[1] ?? 0)) / 2, 5);
  });

  it('draws a value that lasts as a step, and leaves out points that say nothing new', () => {
    const points = [
      [0, 40],
      [1, 40],
      [2, 40],
      [10, 0],
    ] as const;
    const line = { name: 'stock', color: '#000000', points, isStepped: true };
    const [path = []] = pathsIn(svgOf({ ...panel, lines: [line] }));
    const [, corner, below] = path.slice(-3);
    expect(corner?.[0]).toBe(below?.[0]);
    expect(path.length).toBeLessThan(7);
  });

  it('marks zero, and shades what is below it', () => {
    const svg = svgOf({ ...panel, belowZero: 'oversold' });
    const [, y = '', height = ''] =
      /<rect x="[^"]*" y="([^"]*)" width="[^"]*" height="([^"]*)" fill="#c81e1e"/.exec(svg) ?? [];
    const points = [
      [0, 0],
      [10, -50],
    ] as const;
    const line = { name: 'stock', color: '#000000', points };
    const [[zero, lowest] = []] = pathsIn(svgOf({ ...panel, lines: [line] }));
    expect(Number(y)).toBe(zero?.[1]);
    expect(Number(y) + Number(height)).toBe(lowest?.[1]);
    expect(textsIn(svg)).toContain('oversold');
    expect(svgOf(panel)).not.toContain('#c81e1e');
  });

  it('places panels side by side, with equal widths', () => {
    const points = [
      [0, 0],
      [10, 0],
    ] as const;
    const each = { ...panel, lines: [{ name: 'stock', color: '#000000', points }] };
    const widths = pathsIn(svgOf(each, each)).map(
      ([from, to]) => (to?.[0] ?? 0) - (from?.[0] ?? 0),
    );
    expect(widths).toHaveLength(2);
    expect(widths[0]).toBeCloseTo(widths[1] as number, 1);
  });

  it('escapes its texts', () => {
    expect(chartSvg({ title: '<b> & "c"', subtitle: '', panels: [] })).toContain(
      '&lt;b&gt; &amp; &quot;c&quot;',
    );
  });
});
