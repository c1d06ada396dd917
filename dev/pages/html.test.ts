import { html } from './html.js';

describe('markup', () => {
  it('has escaped values, in text and in attributes', () => {
    const value = `<a href="x" title='y'>&amp;</a>`;
    const shown = '&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;amp;&lt;/a&gt;';
    expect(html`<p title="${value}">${value}</p>`.text).toBe(`<p title="${shown}">${shown}</p>`);
  });

  it('contains other markup as it is, also lists of it', () => {
    const items = ['<1>', '<2>'].map((each) => html`<li>${each}</li>`);
    expect(html`<ol>${items}</ol>${html`<hr>`}${7}`.text).toBe(
      '<ol><li>&lt;1&gt;</li><li>&lt;2&gt;</li></ol><hr>7',
    );
  });
});
