import { exampleSale } from './example-sale.js';
import { latencyPlot, stockPlot } from './plots.js';

const textsIn = (svg: string) => [...svg.matchAll(/>([^<>]+)<\/text>/g)].map(([, text]) => text);

/** The y of each point of a line of a colour, in pixels from the top. */
function heightsIn(svg: string, color: string): number[] {
  const [, path = ''] = new RegExp(`d="M([^"]*)" fill="none" stroke="${color}"`).exec(svg) ?? [];
  return path.split('L').map((point) => Number(point.split(',')[1]));
}

const zeroIn = (svg: string) => Number(/y1="([^"]*)"[^>]*stroke="#c81e1e"/.exec(svg)?.[1]);
const unsoldColor = '#1f2933';

describe('the plot of the stock', () => {
  it('shows what can be ordered and what is not sold, above the line at zero', () => {
    const svg = stockPlot('a sale', [exampleSale()]);
    expect(textsIn(svg)).toEqual(
      expect.arrayContaining(['Holdfast', 'can be ordered', 'not sold', 'oversold', 'units']),
    );
    expect(Math.max(...heightsIn(svg, unsoldColor))).toBeLessThan(zeroIn(svg));
  });

  it('shows a store that oversold below the line at zero, in a panel of its own with the same scale', () => {
    const stock = [
      { seconds: 0, unsold: 200, available: 200 },
      { seconds: 60, unsold: -30, available: 0 },
    ];
    const svg = stockPlot('a sale', [exampleSale({ store: 'Vendure', stock })]);
    expect(heightsIn(svg, unsoldColor).at(-1)).toBeGreaterThan(zeroIn(svg));
    const both = stockPlot('a sale', [exampleSale(), exampleSale({ store: 'Vendure', stock })]);
    const zeros = [...both.matchAll(/y1="([^"]*)"[^>]*stroke="#c81e1e"/g)].map(([, y]) => y);
    expect(new Set(zeros).size).toBe(1);
    expect(textsIn(both)).toEqual(expect.arrayContaining(['Holdfast', 'Vendure']));
  });
});

describe('the plot of the latencies', () => {
  it('has a curve that rises with the share, and ends where there are no more shoppers', () => {
    const svg = latencyPlot('a sale', [exampleSale()]);
    const heights = heightsIn(svg, '#2563eb');
    expect(heights.toSorted((a, b) => b - a)).toEqual(heights);
    expect(textsIn(svg)).toEqual(
      expect.arrayContaining(['checkout', 'payment', 'sold out', '50 %', '99 %', '99.9 %']),
    );
    const [, path = ''] = /d="M([^"]*)" fill="none" stroke="#2563eb"/.exec(svg) ?? [];
    const lastX = Number(path.split('L').at(-1)?.split(',')[0]);
    const ninety = Number(/<text x="([^"]*)"[^>]*>90 %</.exec(svg)?.[1]);
    // Ten waits: the last of them is all that is known above 90 %.
    expect(lastX).toBeLessThanOrEqual(ninety);
  });
});
