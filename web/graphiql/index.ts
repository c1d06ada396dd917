import { GraphiQL } from 'graphiql';
import 'graphiql/style.css';
import { createElement } from 'react';
import { createRoot } from 'react-dom/client';
import { createFetcher } from './fetcher.js';
import './page.css';
import './workers.js';

/** An example operation, from the router. */
interface Example {
  readonly query: string;
  readonly variables: string;
  readonly headers: string;
}

const page = document.getElementById('explorer');
if (!page) throw new Error('The page has no element with the id "explorer".');

const endpoint = new URL('/graphql', window.location.href);
const socket = new URL(endpoint);
socket.protocol = socket.protocol.replace('http', 'ws');

const examples = (await (await fetch('/graphiql/examples.json')).json()) as Example[];
createRoot(page).render(
  createElement(GraphiQL, {
    fetcher: createFetcher(endpoint.href, socket.href),
    defaultTabs: examples,
    defaultEditorToolsVisibility: 'variables',
  }),
);
