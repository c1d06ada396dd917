import { readOptions } from './options.js';

const usual = {
  ...{ units: 500, skus: 1, shoppers: 2000, concurrency: 64, rate: undefined, holdSeconds: 20 },
  ...{ neverPay: 10, decline: 5, cancel: 5, repeat: 10, peers: false },
};

describe('the options of the flash sale', () => {
  it('have defaults: a closed loop on one hot SKU', () => {
    expect(readOptions([])).toEqual(usual);
  });

  it('are read by name', () => {
    const args = ['--units', '90', '--skus=3', '--shoppers', '400', '--never-pay', '0', '--peers'];
    const expected = { units: 90, skus: 3, shoppers: 400, neverPay: 0, peers: true };
    expect(readOptions(args)).toEqual({ ...usual, ...expected });
  });

  it('make an open loop of --rate, for a time or for a number of shoppers', () => {
    expect(readOptions(['--rate', '50'])).toEqual({ ...usual, rate: 50 });
    expect(readOptions(['--rate', '50', '--seconds', '30'])).toMatchObject({ shoppers: 1500 });
    expect(readOptions(['--rate', '50', '--shoppers', '10'])).toMatchObject({ shoppers: 10 });
  });

  it.each([
    [['--units', 'many'], '--units needs a whole number from 1 to 1000000.'],
    [['--units', '1.5'], '--units needs a whole number from 1 to 1000000.'],
    [['--skus', '21'], '--skus needs a whole number from 1 to 20.'],
    [['--rate', '0'], '--rate needs a whole number from 1 to 10000.'],
    [['--hold-seconds', '15'], '--hold-seconds needs a whole number from 16 to 600.'],
    [['--seconds', '5'], '--seconds needs --rate'],
    [['--rate', '5', '--concurrency', '9'], '--rate is an open loop, --concurrency a closed one.'],
    [['--rate', '5', '--seconds', '9', '--shoppers', '9'], '--seconds and --shoppers both say'],
    [['--rate', '10000', '--seconds', '3600'], 'is 36000000 shoppers. At most 1000000.'],
    [['--never-pay', '60', '--decline', '41', '--cancel', '0'], 'add up to 101. At most 100.'],
    [['--units', '2', '--skus', '3'], '--units 2 is less than one unit of each SKU.'],
    [['--unit', '3'], "Unknown option '--unit'"],
    [['--units'], "Option '--units <value>' argument missing"],
    [['now'], 'Unexpected argument'],
  ])('refuse %p', (args, message) => {
    expect(() => readOptions(args)).toThrow(message);
  });
});
