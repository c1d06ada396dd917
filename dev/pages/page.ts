import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { Html, html } from './html.js';

/** A page of a process for development. It has no scripts. */
export interface Page {
  readonly status: number;
  readonly title: string;
  /** the content of `main`, below the title */
  readonly body: Html;
  /** the interval at which the browser loads the page again; without one it does not */
  readonly refreshSeconds?: number;
  /** whether the page has a form, which is sent to the same origin */
  readonly hasForm?: boolean;
}

const style = `
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { margin: 0; background: Canvas; color: CanvasText; }
main { max-width: 44rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.5rem; }
h2 { font-size: 1rem; margin: 0; overflow-wrap: anywhere; }
p { margin: 0.25rem 0; overflow-wrap: anywhere; white-space: pre-line; }
ol { list-style: none; margin: 1rem 0; padding: 0; }
li { border-top: 1px solid GrayText; padding: 0.75rem 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.25rem 1rem; }
dd { margin: 0; overflow-wrap: anywhere; }
.code { font: 600 2rem/1.25 ui-monospace, monospace; letter-spacing: 0.15em; }
form { display: flex; flex-wrap: wrap; gap: 0.75rem; margin-top: 1rem; }
button { font: inherit; padding: 0.6rem 1.25rem; min-width: 8rem; cursor: pointer; }
:focus-visible { outline: 3px solid Highlight; outline-offset: 2px; }
`;

// A constant without values: it must not be escaped.
const styleMarkup = new Html(style);
const styleHash = createHash('sha256').update(style).digest('base64');

const policyOf = ({ hasForm = false }: Page) =>
  [
    "default-src 'none'",
    `style-src 'sha256-${styleHash}'`,
    `form-action ${hasForm ? "'self'" : "'none'"}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');

function render({ title, body, refreshSeconds }: Page): string {
  const refresh = refreshSeconds
    ? html`<meta http-equiv="refresh" content="${refreshSeconds}">\n`
    : '';
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} – Holdfast (development)</title>
${refresh}<style>${styleMarkup}</style>
</head>
<body>
<main>
<h1>${title}</h1>
${body}
</main>
</body>
</html>
`;
  return page.text;
}

/** Sends a page, which is not stored and whose address no other site learns: it may contain a secret. */
export function sendPage(response: ServerResponse, page: Page): void {
  if (response.headersSent || response.destroyed) return;
  const text = render(page);
  response.writeHead(page.status, {
    'content-type': 'text/html; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'content-security-policy': policyOf(page),
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(text);
}
