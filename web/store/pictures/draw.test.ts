import { drawProduct } from './draw.js';

const id = '01a19467-e800-7bbc-8f36-20aff7415dc0';
const another = '01a19467-e801-7aaa-8f36-20aff7415dc1';
const drawn = (category: string, name: string, of = id) =>
  JSON.stringify(drawProduct(category, name, of));

describe('the picture of a product', () => {
  it('is the same each time', () => {
    expect(drawn('Shoes', 'Trail')).toBe(drawn('Shoes', 'Trail'));
  });

  it('differs between products of one category', () => {
    expect(drawn('Shoes', 'Trail', another)).not.toBe(drawn('Shoes', 'Trail'));
  });

  it('shows what the name says, or else the category, or else a parcel', () => {
    expect(drawn('Outdoor', 'Leather Boot')).toBe(drawn('Boots', 'Winterwald'));
    expect(drawn('Küche', 'Teekanne')).toBe(drawn('Kitchen', '鉄瓶'));
    expect(drawn('Etwas', 'Ding')).toBe(drawn('', '品'));
    expect(drawn('Etwas', 'Ding')).not.toBe(drawn('Boots', 'Winterwald'));
  });

  it('has colours and shapes only: nothing is loaded or run', () => {
    for (const category of [
      'Shoes',
      'Jackets',
      'Bags',
      'Electronics',
      'Kitchen',
      'Camping',
      '"<script>',
    ]) {
      const text = drawn(category, category);
      expect(text).not.toMatch(/url\(|href|script|"on\w+"/);
    }
  });
});
