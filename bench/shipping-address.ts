/** Where all orders of the benchmarks go. */
export const shippingAddress = {
  recipient: 'Sam Body',
  street: '1 Main St',
  city: 'Springfield',
  zip: '62701',
  country: 'US',
};
